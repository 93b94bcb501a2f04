"""Which shard a user is in, and the map that says which database has which shards."""

from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlsplit

__all__ = ["SHARDS", "address_of", "digest_of", "ranges", "shard_in", "shard_of"]

SHARDS = 4_096


def shard_of(user_id: str) -> int:
    """The shard of a user, from 0 to 4,095, for ever. A hash that PostgreSQL can compute as well: whoever moves a shard asks for its users."""
    return int.from_bytes(sha256(user_id.encode()).digest()[:2]) % SHARDS


def shard_in(column: str) -> str:
    """`shard_of` a column, as PostgreSQL computes it."""
    digest = f"sha256(convert_to({column}, 'UTF8'))"
    return f"(get_byte({digest}, 0) * 256 + get_byte({digest}, 1)) % {SHARDS}"


def ranges(shards: Sequence[int]) -> str:
    """Shards in ascending order as people write them: `0-63, 96`."""
    told: list[list[int]] = []
    for shard in shards:
        if told and told[-1][1] == shard - 1:
            told[-1][1] = shard
        else:
            told.append([shard, shard])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in told)


def digest_of(places: Sequence[str | None]) -> str:
    """Twelve digits by which processes compare their maps: of the databases' addresses, whoever signs in there. No place at all: one
    database has everything, as where "" has every shard."""
    shown = [None if url is None else address_of(url) for url in places or [""] * SHARDS]
    return sha256(repr(shown).encode()).hexdigest()[:12]


def address_of(url: str) -> str:
    """Where a database is, whoever signs in there."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"

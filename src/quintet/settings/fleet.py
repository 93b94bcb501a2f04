"""The forms of what a fleet shares beside its database. Each takes the text and gives the value or raises `UnfitError`."""

import re

from pydantic import SecretStr

from .faults import UnfitError
from .forms import database, split

__all__ = ["SHARDS", "cells", "places", "shard_range", "valkey"]

SHARDS = 4_096  # as the store has them; a test compares
_CELL = re.compile(r"(\d{1,4})-(\d{1,4})=(\S+)")
_RANGE = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")
_NOBODY = "-"
_FIX = "Write ranges that cover 0-4095 once, such as 0-2047=postgresql://… 2048-4095=postgresql://…, or - for one that is being moved."


def valkey(text: str) -> str:
    """The URL of a Valkey or Redis."""
    parts, _ = split(text)
    if parts.scheme not in {"redis", "rediss", "valkey", "valkeys"} or not parts.hostname:
        raise UnfitError(
            "must be a Valkey or Redis", "Set it to redis://user:password@host:6379, or rediss:// for TLS."
        )
    return text


def shard_range(text: str) -> range:
    """Some shards: `64-95`, or one alone."""
    found = _RANGE.fullmatch(text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
    if not first <= last < SHARDS:
        raise UnfitError("must be a range of shards", "Write it as 64-95; they go from 0 to 4095.")
    return range(first, last + 1)


def cells(value: object) -> object:
    """Which database has which shards, separated by blanks: `0-2047=postgresql://… 2048-4095=-`."""
    if not isinstance(value, str):
        return value
    entries = value.split()
    for number, entry in enumerate(entries, 1):
        found = _CELL.fullmatch(entry)
        if (
            found is None
            or entry.count("://") > 1
            or not (found[3] == _NOBODY or database(found[3]).startswith("postgresql"))
        ):
            raise UnfitError(f"must be ranges of shards with their databases (entry {number})", _FIX)
    kept = tuple(SecretStr(entry) for entry in entries)
    if len(places(kept)) != SHARDS:
        raise UnfitError("must name every shard once", _FIX)
    return kept


def places(entries: tuple[SecretStr, ...]) -> list[str | None]:
    """The database of each shard in their order, None for one that is being moved; fewer than there are where they do not fit."""
    placed: list[str | None] = []
    ranges = [found for entry in entries if (found := _CELL.fullmatch(entry.get_secret_value()))]
    for first, last, url in sorted((int(found[1]), int(found[2]), found[3]) for found in ranges):
        if first != len(placed) or last < first:
            return []
        placed += [None if url == _NOBODY else database(url)] * (last - first + 1)
    return placed

"""The form of an API key: `qk_`, 43 letters and digits of chance (256 bits), six of a checksum.

Letters and digits alone, so that a double click takes the whole. The prefix lets scanners of repositories find a leaked key, and the
checksum lets them, and us, tell a key from a typing error or a look-alike without asking anybody.
"""

import re
import zlib
from hashlib import sha256

__all__ = ["KEY_BYTES", "digest_of", "hint_of", "is_key", "key_of", "looks_like_key"]

PREFIX = "qk_"
KEY_BYTES = 32
CHANCE = 43
CHECK = 6
HINT = 9  # characters that tell a user's keys apart: the prefix and 36 of 256 bits

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{CHANCE + CHECK}}}")


def key_of(random: bytes) -> str:
    """The key made of 32 random bytes."""
    body = PREFIX + _base62(int.from_bytes(random, "big"), CHANCE)
    return body + _checksum(body)


def looks_like_key(text: str) -> bool:
    """Whether it means to be one of ours, right or wrong."""
    return text.startswith(PREFIX)


def is_key(text: str) -> bool:
    """Whether it has a key's form and its checksum fits: needs no secret and no database."""
    return _SHAPE.fullmatch(text) is not None and _checksum(text[:-CHECK]) == text[-CHECK:]


def digest_of(key: str) -> bytes:
    """What is kept of a key. Its chance needs neither salt nor a slow hash."""
    return sha256(key.encode()).digest()


def hint_of(key: str) -> str:
    """Its first characters."""
    return key[:HINT]


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECK)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, place = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[place])
    return "".join(reversed(digits))

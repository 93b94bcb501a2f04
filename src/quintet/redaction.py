"""What of a value may be shown in an event: secrets replaced, everything encodable, bounded.

1. A value is hidden when its key, split at `_`, `-` and camel case and lower-cased, ends with one of `_SECRET`; never text, never by its content.
2. What cannot be encoded is shown by the name of its type, never by its `repr`, which may hold anything.
3. Absent means absent: keys without a value are left out. Lone surrogates, which no UTF-8 holds, become U+FFFD.
"""

import math
import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

__all__ = ["REDACTED", "Shown", "clean_text", "mask_text", "secret_values", "show"]

REDACTED = "[redacted]"
_SECRET = (
    ("password",),
    ("passwd",),
    ("secret",),
    ("token",),
    ("authorization",),
    ("cookie",),
    ("api", "key"),
    ("access", "key"),
    ("private", "key"),
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_SURROGATES = re.compile("[\ud800-\udfff]")
_PAIR = re.compile(r"""([\w.-]{1,100})(["']?\s{0,3}[:=]\s{0,3}["']?)((?:Bearer |Basic )?[^\s"',;&(){}\[\]]{4,})""")
_IN_ADDRESS = re.compile(r"(?<=://)[^\s/@:]{0,200}:([^\s/@]{1,200})(?=@)")
_TELLING = 8  # characters: what is shorter is no secret, and hiding it would hide words
_MAX_DEPTH = 32
_MAX_NODES = 20_000
_PREVIEW = 2_000
_NAME = 200  # characters of a key
_SHORT = 300  # of a value in the preview of an object


class Shown(NamedTuple):
    """A value fit for an event, and whether it had to be cut to a preview."""

    value: Any
    truncated: bool


def clean_text(text: str) -> str:
    """`text` with every lone surrogate replaced, so that it can be encoded."""
    return _SURROGATES.sub("\ufffd", text) if not text.isascii() else text


def show(value: Any, limit: int = 24 * 1024) -> Shown:
    """`value` redacted and encodable in at most `limit` bytes of JSON; beyond that a preview.

    The preview of an object is that object with its long values shortened, so that its keys stay where they are looked for; of
    anything else, or of an object with too many keys, the first characters of its JSON. Rule 8 of the wire's events. Never raises.
    """
    try:
        shown = _Walk().walk(value, 0)
        encoded = msgspec.json.encode(shown)
    except (_TooMuchError, RecursionError):
        return Shown(_named(value), True)
    except Exception:  # a hostile __iter__ or __getattr__ must not end a run
        return Shown(_named(value), False)
    if len(encoded) <= limit:
        return Shown(shown, False)
    return Shown(_preview(shown, encoded, limit), True)


def secret_values(named: Mapping[str, str]) -> frozenset[str]:
    """The values that are secret by their names, as of an environment, and the passwords in addresses."""
    values = {value for name, value in named.items() if _is_secret(name[-200:])}
    values |= {found for value in named.values() for found in _IN_ADDRESS.findall(value)}
    return frozenset(value for value in values if len(value) >= _TELLING)


def mask_text(text: str, secrets: Collection[str]) -> str:
    """`text` without these values, and without what stands after a secret name (`token=…`, `"password": "…"`).

    For the eyes of whoever runs the server. It is no proof: a secret that nobody named stays.
    """
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, REDACTED)
    return _PAIR.sub(lambda pair: f"{pair[1]}{pair[2]}{REDACTED}" if _is_secret(pair[1]) else pair[0], text)


def _preview(shown: Any, encoded: bytes, limit: int) -> Any:
    if isinstance(shown, dict) and len(shown) * (_NAME + _SHORT) * 6 <= limit:
        return {key: _short(value) for key, value in shown.items()}
    text = shown if isinstance(shown, str) else encoded.decode()
    return text[: min(_PREVIEW, limit // 6)]


def _short(value: Any) -> Any:
    """`value` if its JSON is short, else the first characters of it."""
    encoded = msgspec.json.encode(value)
    if len(encoded) <= _SHORT:
        return value
    return (value if isinstance(value, str) else encoded.decode())[: _SHORT - 1] + "…"


def _named(value: Any) -> str:
    """The name of a value's type, past whatever its metaclass says."""
    return f"<{clean_text(type.__dict__['__name__'].__get__(type(value)))[:200]}>"


@lru_cache(maxsize=4096)
def _is_secret(key: str) -> bool:
    words = tuple(word.lower() for word in _WORDS.findall(key))
    return any(words[-len(end) :] == end or "".join(words[-1:]) == "".join(end) for end in _SECRET)


class _TooMuchError(Exception):
    pass


class _Walk:
    """One walk over one value; it counts what it visits."""

    def __init__(self) -> None:
        self.nodes = 0

    def _count(self) -> None:
        self.nodes += 1
        if self.nodes > _MAX_NODES:
            raise _TooMuchError

    def walk(self, value: Any, depth: int) -> Any:
        self._count()
        if depth > _MAX_DEPTH:
            raise _TooMuchError
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return clean_text(str.__str__(value))
        if isinstance(value, int):
            return int(value) if -(2**63) <= value < 2**64 else str(value)[:400]
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else str(value)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return [self.walk(item, depth + 1) for item in value]
        return self._other(value, depth)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for key, item in value.items():
            self._count()  # also what is left out or hidden: `items` may never end
            name = clean_text(str(key))
            if item is not None:  # the end of the whole key decides, not of what is shown of it
                shown[name[:200]] = REDACTED if _is_secret(name[-200:]) else self.walk(item, depth + 1)
        return shown

    def _other(self, value: Any, depth: int) -> Any:
        if isinstance(value, bytes | bytearray | memoryview):
            return f"<{len(value)} bytes>"
        if hasattr(value, "model_dump"):
            return self.walk(value.model_dump(), depth + 1)
        try:
            plain = msgspec.to_builtins(value)
        except (TypeError, ValueError):
            return _named(value)
        return _named(value) if plain is value else self.walk(plain, depth + 1)

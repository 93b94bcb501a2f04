"""What a mapping file says is sent, with the names in braces filled in.

1. Only known names are names; other braces are left as they are.
2. A string that is nothing but one name becomes the value itself, so a number stays a number; without a value its key is left out.
"""

import re
import secrets
from collections.abc import Iterator
from collections.abc import Mapping as Keyed
from typing import Any, Final

from ..mapping import MappingError

__all__ = ["NAMES", "fill", "names_in"]

NAMES: Final = ("credential", "user", "text", "canary", "unique", "session", "cursor")
_DEEPEST = 16
_NAME = re.compile(r"\{([a-z_]+)\}")
_NOTHING: Final = object()


def fill(told: Any, values: Keyed[str, Any], depth: int = 0) -> Any:
    """`told` with its names replaced; `{unique}` is another id each time. Raises `MappingError`: it is nested too deep."""
    if depth > _DEEPEST:
        raise MappingError("what is to be sent is nested too deep")
    if isinstance(told, str):
        return _text(told, values)
    if isinstance(told, dict):
        filled = {key: fill(value, values, depth + 1) for key, value in told.items()}
        return {key: value for key, value in filled.items() if value is not _NOTHING}
    if isinstance(told, list):
        return [value for item in told if (value := fill(item, values, depth + 1)) is not _NOTHING]
    return told


def _value(name: str, values: Keyed[str, Any]) -> Any:
    return f"u{secrets.token_hex(8)}" if name == "unique" else values.get(name, _NOTHING)


def _text(told: str, values: Keyed[str, Any]) -> Any:
    whole = _NAME.fullmatch(told)
    if whole is not None:
        return _value(whole[1], values)

    def replaced(found: re.Match[str]) -> str:
        value = _value(found[1], values)
        if value is _NOTHING:
            return "" if found[1] in NAMES else found[0]
        return str(value)

    return _NAME.sub(replaced, told)


def names_in(told: Any) -> Iterator[str]:
    """The names that occur anywhere in `told`."""
    if isinstance(told, str):
        yield from _NAME.findall(told)
    elif isinstance(told, dict):
        for value in told.values():
            yield from names_in(value)
    elif isinstance(told, list):
        for value in told:
            yield from names_in(value)

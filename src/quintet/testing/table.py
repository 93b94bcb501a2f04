"""A TOML table that is read key by key; what does not fit is noted as a fault, with where it stands."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final

__all__ = ["Table", "plain"]

_LONGEST: Final = 86_400.0


class Table:
    """A TOML table that is read key by key; what does not fit goes into the list of faults and a default comes out."""

    def __init__(self, path: str, data: object, known: tuple[str, ...] | None, faults: list[str]) -> None:
        self.path = path
        self.faults = faults
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            self.fault("must be a table")
        for key in self.data if known is not None else ():
            if key not in (known or ()):
                near = get_close_matches(key, known or (), 1)
                advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known or ())}"
                self.faults.append(f"[{path}] {key}: unknown key; {advice}")

    def fault(self, what: str, key: str = "") -> None:
        """One more fault of this table, or of a key in it."""
        self.faults.append(f"[{self.path}] {key + ': ' if key else ''}{what}")

    def text(self, key: str, default: str = "") -> str:
        """A string."""
        return str(self._of(str, key, default, "a string"))

    def expression(self, key: str) -> str:
        """A regular expression."""
        value = self.text(key)
        try:
            re.compile(value)
        except re.error as fault:
            self.fault(f"must be a regular expression: {fault}", key)
            return ""
        return value

    def flag(self, key: str) -> bool:
        """A truth."""
        return bool(self._of(bool, key, False, "true or false"))

    def number(self, key: str, default: float, most: float = _LONGEST) -> float:
        """A number from 0 on."""
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            self.fault(f"must be a number from 0 to {most:g}", key)
            return default
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """Strings, in order."""
        value = self._of(list, key, [], "a list of strings")
        if not all(isinstance(word, str) for word in value):
            self.fault("must be a list of strings", key)
            return ()
        return tuple(value)

    def texts(self, key: str) -> Mapping[str, str]:
        """Names and their values, as the environment has them."""
        value = self._of(dict, key, {}, "a table of strings")
        if any(isinstance(item, dict | list) for item in value.values()):
            self.fault("must be a table of strings", key)
            return MappingProxyType({})
        return MappingProxyType({name: plain(item) for name, item in value.items()})

    def below(self, key: str, known: tuple[str, ...] | None = None) -> "Table":
        """The table at a key."""
        return Table(f"{self.path}.{key}", self.data.get(key, {}), known, self.faults)

    def _of(self, kind: type, key: str, default: Any, words: str) -> Any:
        value = self.data.get(key, default)
        if not isinstance(value, kind):
            self.fault(f"must be {words}", key)
            return default
        return value


def plain(value: object) -> str:
    """A value of TOML as the environment has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)

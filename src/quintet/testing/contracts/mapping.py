"""Where the contract's fields stand in the frames of a backend: a small TOML file, or Quintet's own by default.

1. A path is dotted (`data.call_id`; a number is a place in a list); `@` begins a field of the envelope (`@event` of server-sent
   events and Socket.IO, `@id`). Of several paths the first that is there counts.
2. Unknown keys are errors that name the nearest known one: a misspelt field must not become "not offered".
3. Nothing is guessed: a type that the file does not name has no kind.
"""

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Keyed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from .seen import ENDINGS, KINDS

__all__ = ["Mapping", "MappingError", "Source", "known", "table"]

_NUMBERS: Final = ("order", "first", "run_order", "offset", "position", "step")
_WORDS: Final = ("id", "time", "user", "thread", "run", "trace", "agent", "parent", "call", "message", "text")
FIELDS: Final = ("type", "event", "final", "cursor", "progress", "truncated", *_NUMBERS, *_WORDS)
# What `quintet contract` reads besides; a Mapping needs none of it.
PLAN: Final = ("transport", "users", "prepare", "connect", "send", "resume", "wait")
_MAPS: Final = Path(__file__).parent / "maps"
_LONGEST_FILE: Final = 64 * 1024  # bytes


class MappingError(ValueError):
    """The mapping cannot be read; the text names the file and the key."""


def known(what: str, given: Iterable[str], allowed: Sequence[str]) -> None:
    """Raises `MappingError` for a key that nobody knows, with the nearest that is known."""
    for key in given:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(allowed)}"
            raise MappingError(f"{what} has no {key!r}{hint}")


@dataclass(frozen=True, slots=True)
class Source:
    """Where one field is found: the first of `paths` that is there, all of them joined by `join`, cut at `before`."""

    paths: tuple[tuple[str, ...], ...]
    join: str | None = None
    before: str | None = None

    @classmethod
    def of(cls, name: str, told: Any) -> "Source":
        """From a value of the file: a path, a list of paths, or a table with `path`, `join`, `before`."""
        given = told if isinstance(told, dict) else {"path": told}
        known(f"[frame] {name}", given, ("path", "join", "before"))
        paths = given.get("path")
        several = [paths] if isinstance(paths, str) else paths
        if not isinstance(several, list) or not several or not all(isinstance(p, str) and p for p in several):
            raise MappingError(f"[frame] {name}: a path, a list of paths, or a table with `path` is expected")
        return cls(tuple(tuple(p.split(".")) for p in several), given.get("join"), given.get("before"))

    def find(self, body: Any, envelope: Keyed[str, Any]) -> Any:
        """The value, or None where it is not there (a null is not there)."""
        if self.join is not None:
            found = [value for path in self.paths if (value := _walk(path, body, envelope)) is not None]
            return self.join.join(map(str, found)) or None
        for path in self.paths:
            if (value := _walk(path, body, envelope)) is not None:
                return value if self.before is None else _cut(value, self.before)
        return None


def _walk(path: tuple[str, ...], body: Any, envelope: Keyed[str, Any]) -> Any:
    if path[0][0] == "@":
        here, rest = envelope.get(path[0][1:]), path[1:]
    else:
        here, rest = body, path
    for key in rest:
        if isinstance(here, dict):
            here = here.get(key)
        elif isinstance(here, list) and key.isdigit() and int(key) < len(here):
            here = here[int(key)]
        else:
            return None
    return here


def _cut(value: Any, before: str) -> str | None:
    return value.partition(before)[0] if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19 else None


def _word(value: Any) -> str | None:
    return None if value is None or isinstance(value, (dict, list)) else str(value)


@dataclass(frozen=True)
class Mapping:
    """How the frames of one backend are read."""

    name: str
    sources: Keyed[str, Source]
    kinds: Keyed[str, str]  # the backend's word to the contract's
    control: frozenset[str] = frozenset()  # types that are no events
    carried: tuple[str, ...] = ()  # fields that a frame without them has from the frame before it
    needs_event: bool = False  # only a frame with the field `event` is an event
    schema: str | None = None  # `quintet`, or the path of a JSON schema of one event
    plan: Keyed[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def quintet(cls) -> "Mapping":
        """Quintet's own frames: the default everywhere."""
        return cls.shipped("quintet")

    @classmethod
    def names(cls) -> list[str]:
        """The mappings that ship."""
        return sorted(file.stem for file in _MAPS.glob("*.toml"))

    @classmethod
    def shipped(cls, name: str) -> "Mapping":
        """A mapping that ships, by name. Raises `MappingError`."""
        if name not in cls.names():
            raise MappingError(f"no mapping {name!r} ships; there are {', '.join(cls.names())}")
        return cls.load(_MAPS / f"{name}.toml")

    @classmethod
    def load(cls, path: str | Path) -> "Mapping":
        """A mapping file. Raises `MappingError`: it is not there, no TOML, or has keys that nobody knows."""
        file = Path(path)
        try:
            if file.stat().st_size > _LONGEST_FILE:
                raise MappingError(f"{file}: over {_LONGEST_FILE} bytes")
            told = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
            raise MappingError(f"{file}: {fault}") from None
        try:
            return cls.of(told, file.stem, file.parent)
        except MappingError as fault:
            raise MappingError(f"{file}: {fault}") from None

    @classmethod
    def of(cls, told: Keyed[str, Any], name: str = "mapping", folder: Path = Path()) -> "Mapping":
        """A mapping from what a file in `folder` holds. Raises `MappingError`."""
        known("the mapping", told, ("name", "schema", "frame", "types", *PLAN))
        frame = table(told, "frame")
        known("[frame]", frame, (*FIELDS, "control", "carried"))
        sources = {key: Source.of(key, value) for key, value in frame.items() if key not in {"control", "carried"}}
        if "type" not in sources:
            raise MappingError("[frame] needs `type`: where the type of a frame is found")
        carried = tuple(_listed(frame.get("carried", []), "[frame] carried"))
        known("[frame] carried", carried, FIELDS)
        kinds = _kinds(table(told, "types"))
        control = {*_listed(frame.get("control", []), "[frame] control")}
        control |= {own for own, kind in kinds.items() if kind in {"following", "resync"}}
        plan = {key: told[key] for key in PLAN if key in told}
        schema = told.get("schema")
        return cls(
            str(told.get("name", name)),
            sources,
            kinds,
            frozenset(control),
            carried,
            "event" in sources,
            schema if schema in {None, "quintet"} else str(folder / str(schema)),
            plan,
        )

    def offers(self, name: str) -> bool:
        """Whether the backend has this field."""
        return name in self.sources

    def words(self, kind: str) -> list[str]:
        """The backend's words for a kind."""
        return [own for own, known_as in self.kinds.items() if known_as == kind]

    def read(self, body: Any, envelope: Keyed[str, Any], before: Keyed[str, Any]) -> dict[str, Any]:
        """The fields of a frame, by the names that `Seen` has. `before` holds the carried fields of the frames before it."""
        found = {name: source.find(body, envelope) for name, source in self.sources.items()}
        fields: dict[str, Any] = {name: _number(found.get(name)) for name in _NUMBERS}
        fields |= {name: _word(found.get(name)) for name in _WORDS}
        fields |= {name: before.get(name) for name in self.carried if fields.get(name) is None}
        own = _word(found.get("type")) or ""
        kind = self.kinds.get(own, "")
        cursor, progress = found.get("cursor"), found.get("progress")
        fields["cursor"] = cursor if isinstance(cursor, (str, int)) else None
        fields["truncated"] = bool(found.get("truncated"))
        fields["progress"] = float(progress) if isinstance(progress, (int, float)) else None
        event = own not in self.control and (not self.needs_event or found.get("event") is not None)
        if not event:
            kind = kind if kind in {"following", "resync"} else ""
        ends = bool(found.get("final")) if "final" in self.sources else kind in ENDINGS and fields["parent"] is None
        return {**fields, "type": own, "kind": kind, "event": event, "final": event and ends}


def table(told: Keyed[str, Any], name: str) -> dict[str, Any]:
    """A table of the file, empty where it is not there. Raises `MappingError`: it is none."""
    value = told.get(name, {})
    if not isinstance(value, dict):
        raise MappingError(f"[{name}] is a table")
    return value


def _listed(value: Any, what: str) -> list[str]:
    """A name or a list of names, as a list. Raises `MappingError`."""
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list) or not all(isinstance(item, str) for item in several):
        raise MappingError(f"{what}: a name or a list of names is expected")
    return several


def _kinds(types: Keyed[str, Any]) -> dict[str, str]:
    known("[types]", types, KINDS)
    kinds: dict[str, str] = {}
    for kind, words in types.items():
        for own in _listed(words, f"[types] {kind}"):
            if own in kinds:
                raise MappingError(f"[types] {own!r} is given to {kinds[own]} and to {kind}")
            kinds[own] = kind
    return kinds

"""What a project asks of the kit: `[tool.quintet.test]` of its pyproject.toml, as frozen values.

The table is looked for from pytest's root folder upwards, because another ini file further down may have moved that root. Every fault
is told at once, an unknown key with the nearest one that exists. A project without the table has asked for nothing.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest

from quintet.testing.table import Table, plain

__all__ = ["COMMAND", "KINDS", "KitConfig", "Marker", "Ready", "ServiceSpec", "Variable", "load", "of"]

COMMAND: Final = "command"
KINDS: Final = ("postgres", "quintet", "smtp", COMMAND)
TABLE: Final = "tool.quintet.test"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NOTHING


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment: published with a value, made as a secret, or required from outside."""

    name: str
    value: str | None = None  # may refer to services: "{postgres.url}"
    secret: int = 0  # length of the secret made for each run; 0: none is made
    required: bool = False
    min_length: int = 0
    form: str = ""  # a regular expression that a required value must match somewhere
    hint: str = ""  # how to set it, shown when it is missing


@dataclass(frozen=True, slots=True)
class Ready:
    """The evidence that a service is ready; all that is given must hold. Nothing given: a connection to the port is accepted."""

    http: str = ""  # a path that answers 2xx or 3xx
    socket: str = ""  # a path that accepts a WebSocket handshake
    log: str = ""  # a text that the service has printed
    within: float = 15.0  # seconds


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service. Which fields a kind knows stands in `_FIELDS`."""

    name: str
    kind: str
    needs: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=_nothing)
    command: tuple[str, ...] = ()  # {python} {port} {fd} {folder} and {service.url} are filled in
    folder: str = ""  # where a command runs, relative to the pyproject.toml
    scheme: str = "http"  # of a command's url
    ready: Ready = field(default_factory=Ready)
    migrate: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()  # more flags of initdb
    settings: Mapping[str, str] = field(default_factory=_nothing)  # of the PostgreSQL server
    agents: tuple[str, ...] = ()
    options: tuple[str, ...] = ()  # more options of `quintet serve`


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker, what it means, and the services that a test with it needs."""

    name: str
    meaning: str
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KitConfig:
    """All of the table. `root` is the folder of its pyproject.toml; `file` is None where nobody asked for anything."""

    root: Path
    file: Path | None = None
    hang: float = 0.0  # seconds per phase; 0: no guard
    unknown_markers: str = "error"  # all at once and nothing runs; "pytest": what pytest itself does with them
    mapping: str = ""  # the contracts' mapping file, relative to `root`
    env: Mapping[str, Variable] = field(default_factory=_nothing)
    services: Mapping[str, ServiceSpec] = field(default_factory=_nothing)
    markers: Mapping[str, Marker] = field(default_factory=_nothing)

    @property
    def asked(self) -> bool:
        """Whether the project has the table at all."""
        return self.file is not None


_COMMON = ("kind", "needs")
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "postgres": (*_COMMON, "migrate", "env", "flags", "settings"),
    "quintet": (*_COMMON, "agents", "options", "env"),
    "smtp": _COMMON,
    COMMAND: (*_COMMON, "command", "folder", "scheme", "env", "ready"),
}


def _variables(table: Table) -> Mapping[str, Variable]:
    made = {}
    for name, value in table.data.items():
        if not isinstance(value, dict):
            made[name] = Variable(name, value=plain(value))
            continue
        row = table.below(name, ("secret", "required", "min_length", "form", "hint", "value"))
        made[name] = Variable(
            name,
            value=row.text("value") if "value" in row.data else None,
            secret=int(row.number("secret", 0, 1024)),
            required=row.flag("required"),
            min_length=int(row.number("min_length", 0)),
            form=row.expression("form"),
            hint=row.text("hint"),
        )
        if sum((made[name].value is not None, made[name].secret > 0, made[name].required)) != 1:
            row.fault("needs exactly one of value, secret = LENGTH, required = true")
    return MappingProxyType(made)


def _service(table: Table, name: str) -> ServiceSpec:
    data = table.data[name]
    given = data.get("kind", name if name in KINDS else COMMAND) if isinstance(data, dict) else COMMAND
    kind = given if given in KINDS else COMMAND
    row = table.below(name, _FIELDS[kind])
    if kind != given:
        row.fault(f"must be one of {', '.join(KINDS)}", "kind")
    if not name.isidentifier():
        row.fault("the name of a service must be an identifier")
    ready = row.below("ready", ("http", "socket", "log", "within"))
    spec = ServiceSpec(
        name=name,
        kind=kind,
        needs=row.words("needs"),
        env=row.texts("env"),
        command=row.words("command"),
        folder=row.text("folder"),
        scheme=row.text("scheme", "http"),
        ready=Ready(ready.text("http"), ready.text("socket"), ready.text("log"), ready.number("within", 15.0)),
        migrate=row.words("migrate"),
        flags=row.words("flags"),
        settings=row.texts("settings"),
        agents=row.words("agents"),
        options=row.words("options"),
    )
    if kind == COMMAND and not spec.command:
        row.fault("needs a command, for instance command = ['{python}', '-m', 'app', '--port', '{port}']")
    for need in spec.needs:
        if need not in table.data:
            row.fault(f"{need!r} is not a service here{_nearest(need, table.data)}", "needs")
    return spec


def _nearest(word: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(word, known, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _marker(table: Table, name: str, services: Mapping[str, Any]) -> Marker:
    if isinstance(table.data[name], str):
        return Marker(name, table.data[name])
    row = table.below(name, ("meaning", "services"))
    marker = Marker(name, row.text("meaning"), row.words("services"))
    for wanted in marker.services:
        if wanted not in services:
            row.fault(f"{wanted!r} is not a service here{_nearest(wanted, services)}", "services")
    return marker


def parse(root: Path, file: Path, data: object) -> KitConfig:
    """The table as values. Raises `pytest.UsageError` with every fault in it."""
    faults: list[str] = []
    top = Table(TABLE, data, ("hang", "unknown_markers", "mapping", "env", "services", "markers"), faults)
    env, services, markers = (top.below(key) for key in ("env", "services", "markers"))
    made = KitConfig(
        root=root,
        file=file,
        hang=top.number("hang", 60.0),
        unknown_markers=top.text("unknown_markers", "error"),
        mapping=top.text("mapping"),
        env=_variables(env),
        services=MappingProxyType({name: _service(services, name) for name in services.data}),
        markers=MappingProxyType({name: _marker(markers, name, services.data) for name in markers.data}),
    )
    if made.unknown_markers not in {"error", "pytest"}:
        top.fault("must be 'error' or 'pytest'", "unknown_markers")
    if faults:
        raise pytest.UsageError("\n".join([f"{file} asks for what the test kit does not know:", *faults]))
    return made


def _table_of(file: Path) -> object | None:
    try:
        data: Any = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as fault:
        raise pytest.UsageError(f"{file}: {fault}") from None
    for key in TABLE.split("."):
        if not isinstance(data, dict) or key not in data:
            return None
        data = data[key]
    return data  # type: ignore[no-any-return]


@cache
def load(rootpath: Path) -> KitConfig:
    """The nearest table at or above a folder, within its repository. Raises `pytest.UsageError` with every fault."""
    for folder in (rootpath, *rootpath.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and (data := _table_of(file)) is not None:
            return parse(folder, file, data)
        if (folder / ".git").exists():
            break
    return KitConfig(rootpath)


_KEY: Final = pytest.StashKey[KitConfig]()


def of(config: pytest.Config) -> KitConfig:
    """What the project of this pytest run has asked for."""
    if _KEY not in config.stash:
        config.stash[_KEY] = load(config.rootpath)
    return config.stash[_KEY]

"""From the environment, the text of `.env` and the options to settings, or to all faults at once.

1. The process environment wins over `.env`, which is read in development only; an option wins over both.
2. What a variable holds is checked even where an option wins over it.
3. Set but empty is the same as not set.
4. A `QUINTET_` name that is not known stops the start: a misspelt limit would otherwise be no limit.
5. No value goes into a fault.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from .faults import Fault, SettingsError, UnfitError
from .model import PREFIX, VARIABLES, Settings
from .providers import PROVIDER_PREFIX, read_providers
from .secret import MAKE_ONE

__all__ = ["Options", "Role", "load"]

Role = Literal["all", "gateway", "worker"]

OTHER_NAMES = {"SECRET_KEY": "QUINTET_SECRET_KEY"}
# What Kubernetes makes for a service named quintet, and what the test kit tells the processes of a run.
NOT_OURS = ("QUINTET_SERVICE_", "QUINTET_PORT_", "QUINTET_TEST_")
OF_THE_CLIENT = {"QUINTET_TOKEN"}
FLAGS = {"host": "--host", "port": "--port", "data": "--data", "database_url": "--database", "agents": "--agents"}
SECRETS = {"secret_key", "secret_keys"}
REQUIRED = {
    "secret_key": Fault("QUINTET_SECRET_KEY", "is not set", f"{MAKE_ONE} (.env is read with --dev only.)"),
    "public_url": Fault(
        "QUINTET_PUBLIC_URL", "is not set", "Set it to the address people open, such as https://chat.example.com."
    ),
}

_LINK = re.compile(r"(?:tcp|udp|sctp)://\S+:\d+")
_LINK_NAME = re.compile(r"QUINTET_\w+?_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `quintet serve`; None or empty means not given."""

    dev: bool = False
    host: str | None = None
    port: int | None = None
    data: Path | None = None
    database: str | None = None
    agents: tuple[str, ...] = ()
    role: Role = "all"
    workers: int = 1

    def chosen(self) -> dict[str, object]:
        """The fields of `Settings` that these options set."""
        values = {"host": self.host, "port": self.port, "data": self.data, "database_url": self.database}
        return {field: value for field, value in values.items() if value is not None} | (
            {"agents": self.agents} if self.agents else {}
        )


class _Given(NamedTuple):
    """A text and where it was found."""

    label: str
    text: str


def load(
    environment: Mapping[str, str],
    file_text: str | None = None,
    options: Options = Options(),
    make_secret: Callable[[Path], str] | None = None,
    *,
    serves: bool = True,
) -> Settings:
    """The settings of one start. Raises `SettingsError` with every fault at once.

    `file_text` is what `.env` holds (ignored outside development). `make_secret` gives the secret kept in a data folder; it is
    called in development only, when no variable gives one, and after everything else has been found right. With `serves` off,
    for work that neither signs nor listens, what production requires may be missing; what is set is checked all the same.
    """
    given, misnamed = _gather(environment, file_text if options.dev else None)
    chosen = options.chosen()
    providers, unfit = read_providers(_of_providers(environment, file_text if options.dev else None))
    base: dict[str, object] = {"oidc": providers, **({"dev": True, "sign_up": "open"} if options.dev else {})}
    plain = {**base, **{field: entry.text for field, entry in given.items()}}
    values = {**plain, **chosen}
    labels = {field: entry.label for field, entry in given.items()}

    settings, wrong = _check(values, {**labels, **{field: FLAGS[field] for field in chosen}})
    overridden = _check(plain, labels)[1] if chosen else {}
    makes = make_secret if not SECRETS & given.keys() and (options.dev or not serves) else None
    faults = [
        *(_missing(options, given) if serves else ()),
        *wrong.values(),
        *(overridden[field] for field in overridden if field in chosen),
    ]
    faults += [*unfit, *_two_forms(given), *_of_several(options, values.get("database_url")), *misnamed]
    if not faults and makes:
        folder = Path(str(values.get("data", Settings.model_fields["data"].default)))
        settings, wrong = _check(
            {**values, "secret_key": makes(folder)}, {"secret_key": "The secret in the data folder"}
        )
        faults = [fault._replace(fix="Delete that file; everybody has to sign in again.") for fault in wrong.values()]
    if faults or settings is None:
        raise SettingsError(tuple(dict.fromkeys(faults)))
    return settings


def _gather(environment: Mapping[str, str], file_text: str | None) -> tuple[dict[str, _Given], list[Fault]]:
    """What is set, by field, and the faults of names and of the file's form."""
    lines, faults = _read_file(file_text) if file_text else ({}, [])
    everything = {name: _Given(f"{name} (.env)", text) for name, text in lines.items()}
    everything |= {name: _Given(name, text) for name, text in environment.items()}
    given: dict[str, _Given] = {}
    for name, entry in sorted(everything.items()):
        known = OTHER_NAMES.get(name, name)
        text = entry.text.strip()
        if known in VARIABLES:
            link = known == "QUINTET_PORT" and _LINK.fullmatch(text)
            if text and not link and not (known != name and _is_ours(everything)):
                given[VARIABLES[known]] = entry._replace(text=text)
        elif (
            name.startswith(PREFIX) and not name.startswith((*NOT_OURS, PROVIDER_PREFIX)) and name not in OF_THE_CLIENT
        ):
            faults.append(_unknown(name, entry.label))
    return given, faults


def _is_ours(everything: Mapping[str, _Given]) -> bool:
    """Whether a secret of ours is set: then the plain name is another program's."""
    return any(
        f"{PREFIX}{field.upper()}" in everything and everything[f"{PREFIX}{field.upper()}"].text.strip()
        for field in SECRETS
    )


def _two_forms(given: Mapping[str, _Given]) -> Iterator[Fault]:
    if given.keys() >= SECRETS:
        yield Fault(
            given["secret_keys"].label,
            "is set beside QUINTET_SECRET_KEY",
            "Keep one of them: the list, while you change the secret.",
        )


def _of_providers(environment: Mapping[str, str], file_text: str | None) -> dict[str, tuple[str, str]]:
    """Label and text of every variable about a provider; set but empty is not set."""
    lines = _read_file(file_text)[0] if file_text else {}
    everything = {name: (f"{name} (.env)", text.strip()) for name, text in lines.items()}
    everything |= {name: (name, text.strip()) for name, text in environment.items()}
    return {name: entry for name, entry in everything.items() if name.startswith(PROVIDER_PREFIX) and entry[1]}


def _read_file(text: str) -> tuple[dict[str, str], list[Fault]]:
    from dotenv.parser import parse_stream

    values: dict[str, str] = {}
    faults: list[Fault] = []
    for binding in parse_stream(io.StringIO(text.removeprefix("\ufeff"))):
        ours = binding.key is not None and (binding.key.startswith(PREFIX) or binding.key in OTHER_NAMES)
        if binding.error or (ours and binding.value is None):
            faults.append(
                Fault(f".env line {binding.original.line}", "is not NAME=value", "Correct it, or begin it with #.")
            )
        elif binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
    return values, faults


def _unknown(name: str, label: str) -> Fault:
    if _LINK_NAME.fullmatch(name):
        return Fault(
            label, "is not known; Kubernetes makes such names for services", "Set enableServiceLinks: false in the pod."
        )
    wanted = name.upper().removeprefix(PREFIX)
    nearest = max(VARIABLES, key=lambda known: SequenceMatcher(None, wanted, known.removeprefix(PREFIX)).ratio())
    return Fault(label, "is not known", f"The nearest known name is {nearest}; rename it or remove it.")


def _missing(options: Options, given: Mapping[str, _Given]) -> Iterator[Fault]:
    found = given.keys() | ({"secret_key"} if SECRETS & given.keys() else set())
    return (fault for field, fault in REQUIRED.items() if not options.dev and field not in found)


def _of_several(options: Options, database: object) -> Iterator[Fault]:
    if str(database or "").startswith("postgres"):
        return
    if options.role != "all":
        yield Fault(f"--role {options.role}", "needs PostgreSQL", "Set QUINTET_DATABASE_URL, or leave --role out.")
    if options.workers > 1:
        yield Fault("--workers", "needs PostgreSQL", "Set QUINTET_DATABASE_URL, or leave --workers out.")


def _check(values: dict[str, Any], labels: Mapping[str, str]) -> tuple[Settings | None, dict[str, Fault]]:
    """The settings, or the faults by field."""
    try:
        return Settings.model_validate(values), {}
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    return None, {
        field: _fault(field, labels, problem.get("ctx", {})) for problem in found for field in [str(problem["loc"][0])]
    }


def _fault(field: str, labels: Mapping[str, str], context: Mapping[str, Any]) -> Fault:
    label = labels.get(field, f"{PREFIX}{field.upper()}")
    unfit = context.get("error")
    if isinstance(unfit, UnfitError):
        return Fault(label, unfit.what, unfit.fix)
    if field in REQUIRED and field not in labels:
        return REQUIRED[field]
    bounds = [getattr(rule, "ge", getattr(rule, "le", None)) for rule in Settings.model_fields[field].metadata]
    if len(bounds) == 2:
        return Fault(label, f"must be a whole number from {bounds[0]} to {bounds[1]}", "Write it in digits alone.")
    return Fault(label, "cannot be read", "Write it as plain UTF-8 text.")

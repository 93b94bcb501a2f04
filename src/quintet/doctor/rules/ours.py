"""Quintet's own settings and services: Q01 and Q02. Only where something of Quintet is set up, and only with the server installed."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..case import Case
from ..declared import declared
from ..findings import Finding, Rule, rule
from ..network import reach
from ..syntax import test_files
from .services import Address, address_of

if TYPE_CHECKING:
    from quintet.settings import Settings, SettingsError

__all__ = ["RULES"]

_CLIENTS = {"QUINTET_TOKEN", "QUINTET_URL"}


def _set_up(case: Case) -> bool:
    """Variables of the environment count in a project of Quintet and in a folder without tests: elsewhere they are not its business."""
    names = {name for name in _variables(case) if name.startswith("QUINTET_")} - _CLIENTS
    here = "QUINTET_" in (case.tree.text(Path(".env")) or "") or (case.tree.root / ".quintet").is_dir()
    return here or (bool(names) and ("quintet" in declared(case.tree) or not any(test_files(case.tree))))


def _variables(case: Case) -> dict[str, str]:
    """The environment without what the test kit says to itself."""
    return {name: value for name, value in case.environment.items() if not name.startswith("QUINTET_TEST_")}


def _settings(case: Case) -> "Settings | SettingsError | None":
    """The settings as `quintet serve` would read them here; None where the server is not installed or nothing is set up."""
    if not _set_up(case):
        return None
    development = "QUINTET_SECRET_KEY" not in case.environment and "QUINTET_PUBLIC_URL" not in case.environment
    try:
        from quintet.settings import Options, SettingsError, load
    except ModuleNotFoundError:
        return None
    try:
        return load(_variables(case), case.tree.text(Path(".env")), Options(dev=development), _no_secret, serves=False)
    except ModuleNotFoundError:
        return None
    except SettingsError as error:
        return error


def _no_secret(_: Path) -> str:
    """Where none is set the server makes one; here nothing is signed, so any strong text will do."""
    return secrets.token_urlsafe(48)


@rule("Q01", "C", "A setting with which `quintet serve` does not start", fix="Correct the variable.")
def refused_setting(case: Case, this: Rule) -> Iterator[Finding]:
    for fault in getattr(_settings(case), "faults", ()):
        file = Path(".env") if "(.env)" in fault.name or fault.name.startswith(".env") else None
        yield this.certain(f"{fault.name} {fault.what}.", file, fix=fault.fix)


@rule(
    "Q02",
    "P",
    "The database that QUINTET_DATABASE_URL names does not answer",
    fix="Start PostgreSQL, or correct the address.",
)
def no_database(case: Case, this: Rule) -> Iterator[Finding]:
    kept = getattr(_settings(case), "database_url", None)
    place = kept.get_secret_value() if kept else ""
    address: Address | None = address_of("QUINTET_DATABASE_URL", place, Path(".env"), 0) if case.runs else None
    if address is not None:
        reached = reach(address.scheme, address.host, address.port)
        if reached.outcome in ("refused", "unresolved"):
            yield this.certain(f"QUINTET_DATABASE_URL points to {address.host}:{address.port}: {reached.why}.")


RULES = (refused_setting, no_database)

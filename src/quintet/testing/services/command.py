"""A server of the user's own, from its command."""

import contextlib
import re
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from quintet.testing.config import COMMAND, Ready
from quintet.testing.services import ports
from quintet.testing.services.handle import ServiceError
from quintet.testing.services.owned import Owned, surroundings
from quintet.testing.services.processes import Plan
from quintet.testing.services.readiness import await_all, evidence_of

__all__ = ["CommandService"]

_PLACE = re.compile(r"\{(python|port|fd|folder|host)\}")


class CommandService(Owned):
    """Runs a command in the project's folder. `{fd}` in it is a listening socket to take over, `{port}` a free port."""

    kind = COMMAND

    def __init__(
        self,
        name: str,
        folder: Path,
        command: Sequence[str],
        *,
        ready: Ready,
        cwd: Path,
        env: "Callable[[CommandService], Mapping[str, str]]",
        scheme: str = "http",
    ) -> None:
        super().__init__(name, folder)
        self._command = command
        self._ready = ready
        self._cwd = cwd
        self._env = env
        self._scheme = scheme
        self._socket: socket.socket | None = None
        self._settled = False  # its address has been handed out

    def start(self) -> None:
        """See `Owned`. Where its port was taken by somebody else before it came to it, starts again at another one."""
        for left in reversed(range(1 if self._settled else ports.TRIES)):
            since = self.log_size()
            self._place()
            try:
                self._run(since)
            except ServiceError:
                if left == 0 or self.alive or self._socket is not None or not ports.taken(self.logged(since)):
                    raise
            else:
                self._settled = True
                return

    def kill(self) -> None:
        """See `Running`. A socket that was handed over refuses from now on, as if it were closed; its port stays ours."""
        super().kill()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """See `Owned`."""
        super().end()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _place(self) -> None:
        if self._settled:
            return
        if any("{fd}" in word for word in self._command):
            self._socket = self._socket or ports.bound()
            self.port = self._socket.getsockname()[1]
        else:
            self.port = ports.free()
        self.url = f"{self._scheme}://{self.host}:{self.port}"

    def _run(self, since: int) -> None:
        if self._socket is not None:
            self._socket.listen(ports.BACKLOG)
        places = {
            "python": sys.executable,
            "port": str(self.port),
            "host": self.host,
            "fd": str(self._socket.fileno()) if self._socket else "",
            "folder": str(self.folder),
        }
        self.process.start(
            Plan(
                argv=[_PLACE.sub(lambda place: places[place[1]], word) for word in self._command],
                env=surroundings(self._env(self)),
                cwd=str(self._cwd),
                log=str(self.log),
                fds=[self._socket.fileno()] if self._socket else [],
                remove=[str(self.folder)],
            )
        )
        await_all(self, evidence_of(self._ready, self, since), self._ready.within)

"""Several server processes on one host under one parent, each with sockets, agents and a loop of its own.

1. The parent reserves the port and never listens; each process binds it with SO_REUSEPORT, so the kernel spreads connections and a process that
   dies takes only its own with it.
2. The first process starts alone: what stands in the way of a start is said once, and ends the whole with its exit code.
3. One that dies later is started again, later each time it dies at once. Never silently: every end is a line in the log.
4. A process whose parent is gone drains and ends: a pipe says so, however the parent died.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from functools import partial

from quintet.server.listening import address, reserve
from quintet.server.logs import set_up_logs
from quintet.settings import Settings

__all__ = ["keep_processes"]

logger = logging.getLogger(__name__)

_PAUSES = (0.5, 30.0)  # seconds before a process is started again: at first, at most
_WELL = 60.0  # seconds after which a process counts as well, so that the pauses begin anew
_START = 90.0  # seconds in which a process must be ready
_GRACE = 30.0  # seconds beyond the drain

Command = Callable[[int, int], Sequence[str]]
"""The words that start a process, of the port and of the descriptor by which it speaks with its parent."""


def keep_processes(settings: Settings, count: int, command: Command) -> int:
    """Keep `count` processes until SIGTERM or Ctrl-C; returns the exit code.

    Raises:
        StartError: the port is taken.
    """
    set_up_logs(dev=settings.dev)
    reserved, port = reserve(settings.host, settings.port)
    try:
        parent = _Parent(count, partial(command, port), settings.drain_seconds)
        return asyncio.run(parent.run(address(settings.host, port)))
    finally:
        for bound in reserved:
            bound.close()


class _Child:
    """One place among the processes, whoever stands there just now."""

    def __init__(self, number: int, command: Callable[[int], Sequence[str]]) -> None:
        self._number = number
        self._command = command
        self._line: socket.socket | None = None
        self._process: Process | None = None
        self.ready = False

    async def start(self, stopping: asyncio.Event) -> None:
        """Start it, and wait until it is ready or has failed."""
        self.ready = False
        self.close()
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        try:
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command(theirs.fileno()),
                    pass_fds=(theirs.fileno(),),
                    process_group=0,  # Ctrl-C is the parent's alone, or each would be asked twice
                )
        except OSError as error:
            logger.error("%s cannot be started: %s", self, error.strerror)
            return
        if stopping.is_set():
            self.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START):
                self.ready = bool(await asyncio.get_running_loop().sock_recv(self._line, 16))
        if not self.ready:
            self.signal(signal.SIGKILL)

    async def ended(self) -> int:
        """How it ended, once it has: its exit code, negative for a signal; 1 where it could not be started."""
        return 1 if self._process is None else await self._process.wait()

    def signal(self, number: int) -> None:
        """Send it a signal, if it is there."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(
                    self._process.pid, number
                )  # the loop's own way asks for its end first, and takes the exit code from whoever waits for it

    def close(self) -> None:
        """Nothing more is said to whoever stood here."""
        self._process = None
        if self._line is not None:
            self._line.close()

    def __str__(self) -> str:
        return f"server process {self._number}" + (f" (pid {self._process.pid})" if self._process else "")


class _Parent:
    def __init__(self, count: int, command: Callable[[int], Sequence[str]], drain: float) -> None:
        self._children = [_Child(number, command) for number in range(1, count + 1)]
        self._drain = drain
        self._stopping = asyncio.Event()

    async def run(self, url: str) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop)
        first, *others = self._children
        try:
            await first.start(self._stopping)
            if not first.ready:
                return 0 if self._stopping.is_set() else max(0, await first.ended()) or 1
            await asyncio.gather(*(child.start(self._stopping) for child in others))
            print(f"Quintet is listening on {url}", flush=True)  # noqa: T201 - whoever started it waits for this line
            return await self._keep_all()
        finally:
            for child in self._children:
                child.signal(signal.SIGKILL)
                child.close()

    def _stop(self) -> None:
        """Asked twice, the processes leave at once."""
        logger.info("stopping %d processes", len(self._children))
        self._stopping.set()
        for child in self._children:
            child.signal(signal.SIGTERM)

    async def _keep_all(self) -> int:
        keeping = [asyncio.create_task(self._keep(child)) for child in self._children]
        asked = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([asked, *keeping], return_when=asyncio.FIRST_COMPLETED)
        if not self._stopping.is_set():
            logger.critical("keeping the processes has failed")
            self._stop()
        asked.cancel()
        await asyncio.wait(keeping, timeout=self._drain + _GRACE)
        for child in self._children:
            child.signal(signal.SIGKILL)
        return max(await asyncio.gather(*keeping))

    async def _keep(self, child: _Child) -> int:
        """Have somebody at this place until all are to stop; how the last one ended."""
        pause, most = _PAUSES
        while True:
            since = time.monotonic()
            code = await child.ended()
            if self._stopping.is_set():
                return abs(code) if child.ready else 0
            if time.monotonic() - since > _WELL:
                pause = _PAUSES[0]
            how = f"was ended by signal {-code}" if code < 0 else f"has ended with exit code {code}"
            logger.error("%s %s; another is started in %.1f s", child, how, pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
                    return 0
            pause = min(2 * pause, most)
            await child.start(self._stopping)

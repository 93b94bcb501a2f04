"""A real `quintet serve` in a process of its own: started, killed, stopped, started again on the same data and port.

Ready means three things, in this order: it printed its line, /readyz says yes, and a socket was accepted. Whatever fails shows
the end of the server's log. Each server has its own process group, and none outlives the test run.
"""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from support import leash

__all__ = ["TESTS", "Factory", "Server", "ServerError"]

TESTS = Path(__file__).resolve().parent.parent
SCRIPTED = "support.scripted"
START_SECONDS = 30.0  # a cold, busy machine; a warm start is 1.5 s
DRAIN_SECONDS = 70.0  # the drain itself may wait 60 s for running runs
T = TypeVar("T")
_LISTENING = re.compile(rb"Quintet is listening on (http://[^\s:]+:(\d+))")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServerError(AssertionError):
    """The server did not do what was waited for; the text ends with its log."""


class Server:
    """One server, its data folder, its log, and the file in which the scripted tools leave a line for each thing they did."""

    def __init__(
        self,
        home: Path,
        *,
        agents: Sequence[str] = (SCRIPTED,),
        command: Sequence[str] = ("-m", "quintet"),
        options: Sequence[str] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self.home = home
        self.data = home / "data"
        self.log = home / "server.log"
        self.effects = home / "effects.log"
        self.port = 0
        self.url = ""
        self._agents = agents
        self._command = command
        self._options = options
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self.data.mkdir(parents=True, exist_ok=True)
        self.effects.touch()

    # --- its life -----------------------------------------------------------------------------------------------------

    def start(self) -> "Server":
        """Start and wait until it is ready. Raises `ServerError` with the end of the log."""
        assert not self.alive, "the server runs already"
        spoken = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._line(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=TESTS,
                env=self._env(),
                start_new_session=True,
            )
        leash.hold(self._process.pid)
        deadline = time.monotonic() + START_SECONDS
        found = self._await("its line on standard output", deadline, lambda: _LISTENING.search(self._log(spoken)))
        self.url, self.port = found[1].decode(), int(found[2])
        self._await("/readyz to answer 200", deadline, lambda: self.status("/readyz") == 200)
        self._await("a socket to be accepted", deadline, self._accepts)
        return self

    def kill(self) -> None:
        """Kill it with -9, and wait until it is gone."""
        process = self._running()
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        self._gone()

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        self._running().send_signal(signal.SIGTERM)

    def wait(self, seconds: float = DRAIN_SECONDS) -> int:
        """Wait until it ended by itself; returns the exit code."""
        try:
            code = self._running().wait(seconds)
        except subprocess.TimeoutExpired:
            raise ServerError(f"the server did not end within {seconds} s\n{self.tail()}") from None
        self._gone()
        return code

    def stop(self, seconds: float = DRAIN_SECONDS) -> None:
        """SIGTERM; it must end with exit code 0."""
        self.terminate()
        code = self.wait(seconds)
        if code != 0:
            raise ServerError(f"SIGTERM ended the server with exit code {code}, not 0\n{self.tail()}")

    def restart(self) -> "Server":
        """Start again on the same data and port; kill it first where it still runs."""
        if self.alive:
            self.kill()
        return self.start()

    def end(self) -> None:
        """Nothing of it may be left; how it ends does not matter any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._gone()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id, to signal or to sample it."""
        return self._running().pid

    # --- what it left -------------------------------------------------------------------------------------------------

    def tail(self, lines: int = 60) -> str:
        """The last lines of its log, with a heading."""
        kept = self._log(0).decode(errors="replace").splitlines()[-lines:]
        return "\n".join([f"--- the server's log, last {len(kept)} lines ({self.log}) ---", *kept])

    def logged(self, since: int = 0) -> str:
        """Its log, from a byte position."""
        return self._log(since).decode(errors="replace")

    def done(self) -> list[str]:
        """What the scripted tools did, a line each, in order."""
        return self.effects.read_text().splitlines()

    def database(self, to: Path) -> Path:
        """A copy of the database files as they lie there, so that looking changes nothing of what a restart will find."""
        to.mkdir(parents=True, exist_ok=True)
        files = [f for f in self.data.iterdir() if re.search(r"\.(db|sqlite3?)(-wal|-shm)?$", f.name)]
        for file in files:
            if not file.name.endswith("-shm"):
                (to / file.name).write_bytes(file.read_bytes())
        found = [to / f.name for f in files if not f.name.endswith(("-wal", "-shm"))]
        assert len(found) == 1, (
            f"expected one database in {self.data}, found {sorted(f.name for f in self.data.iterdir())}"
        )
        return found[0]

    def query(self, to: Path, sql: str) -> list[tuple[object, ...]]:
        """Rows of a copy of the database."""
        connection = sqlite3.connect(self.database(to))
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def status(self, path: str) -> int:
        """The HTTP status of a plain GET; 0 while nobody answers."""
        try:
            with _DIRECT.open(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except OSError:
            return 0

    # --- inside -------------------------------------------------------------------------------------------------------

    def _line(self) -> list[str]:
        named = [word for module in self._agents for word in ("--agents", module)]
        return [
            *(sys.executable, *self._command, "serve", "--dev", "--port", str(self.port), "--data", str(self.data)),
            *named,
            *self._options,
        ]

    def _env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k in {"PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT"}}
        ours = {"HOME": str(self.home), "PYTHONFAULTHANDLER": "1", "SCRIPTED_EFFECTS": str(self.effects)}
        return kept | ours | self._environment

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "the server was never started"
        return self._process

    def _gone(self) -> None:
        leash.forget(self._running().pid)
        self._process = None

    def _log(self, since: int) -> bytes:
        return self.log.read_bytes()[since:] if self.log.exists() else b""

    def _await(self, what: str, deadline: float, look: Callable[[], T | None]) -> T:
        while not (found := look()):
            if not self.alive:
                code = self._running().returncode
                raise ServerError(f"the server ended with exit code {code} while waiting for {what}\n{self.tail()}")
            if time.monotonic() > deadline:
                raise ServerError(f"waited {START_SECONDS} s in vain for {what}\n{self.tail()}")
            time.sleep(0.01)
        return found

    def _accepts(self) -> bool:
        request = (
            f"GET /v1/ws HTTP/1.1\r\nHost: localhost:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as plug:
                plug.sendall(request.encode())
                return plug.recv(64).startswith(b"HTTP/1.1 101 ")
        except OSError:
            return False

    def ready(self) -> dict[str, object]:
        """What /readyz says about each dependency."""
        with _DIRECT.open(self.url + "/readyz", timeout=5) as answer:
            told: dict[str, object] = json.load(answer)
        return told


Factory = Callable[..., Server]

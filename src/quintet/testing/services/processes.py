"""A service's process as its owner sees it: through a supervisor, which ends it even if the owner is killed.

A supervisor and its service have sessions of their own, so Ctrl-C in the terminal reaches pytest alone and teardown still finds them.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from quintet.testing.services.handle import ServiceError

__all__ = ["Plan", "Supervised"]

_PROGRAM = Path(__file__).with_name("supervisor.py")
_ANSWER_SECONDS = 10.0  # for a supervisor to start or kill a process; it takes milliseconds
_END_SECONDS = 10.0


@dataclass(frozen=True)
class Plan:
    """What to start, and how to stop it."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    log: str
    uid: int | None = None
    gid: int | None = None
    fds: Sequence[int] = ()
    stop: int = signal.SIGTERM
    patience: float = 1.0  # seconds between that signal and -9
    remove: Sequence[str] = ()  # folders to remove when all is over, and those around them if nothing else is in them


class Supervised:
    """One process and its supervisor. `exit_code` is None while it runs or before it was started."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.pid: int | None = None
        self.exit_code: int | None = None
        self._lock = threading.RLock()
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._pending = b""
        self._refused = ""

    @property
    def alive(self) -> bool:
        """Whether the process runs, as far as the supervisor has said."""
        self.look(0)
        return self.pid is not None

    def start(self, plan: Plan) -> None:
        """Starts it; returns when it runs, not when it is ready. Raises `ServiceError` if the program cannot be run."""
        with self._lock:
            self._refused, self.exit_code = "", None
            if self._supervisor is None or self._supervisor.poll() is not None:
                self._supervise(plan)
            self._tell("start " + json.dumps(asdict(plan) | {"env": dict(plan.env)}))
            self._await(lambda: self.pid is not None or bool(self._refused) or self.exit_code is not None, "start")
        if self._refused:
            raise ServiceError(f"{self.name}: {plan.argv[0]} cannot be run: {self._refused}")

    def signal(self, number: int) -> None:
        """Sends it a signal, without waiting."""
        self._tell(f"signal {number}")

    def kill(self) -> None:
        """-9 for it and all its processes; returns when they are gone."""
        self._over("kill")

    def stop(self) -> None:
        """Its stop signal, the plan's patience, then -9; returns when all are gone."""
        self._over("stop")

    def wait(self, seconds: float) -> int | None:
        """Its exit code, or None if it still runs after so long."""
        until = time.monotonic() + seconds
        while self.pid is not None and (left := until - time.monotonic()) > 0:
            self.look(left)
        return self.exit_code if self.pid is None else None

    def look(self, seconds: float) -> None:
        """Takes in what the supervisor has said; waits so long for news."""
        pipe = self._supervisor.stdout if self._supervisor else None
        if pipe is None or pipe.closed or not select.select([pipe], [], [], seconds)[0]:
            return
        with self._lock:
            if not select.select([pipe], [], [], 0)[0]:
                return
            piece = os.read(pipe.fileno(), 65536)
            if not piece:
                self.pid = None
                pipe.close()
            *lines, self._pending = (self._pending + piece).split(b"\n")
            for line in lines:
                self._heard(line.decode())

    def end(self) -> None:
        """Nothing of it is left afterwards, and no supervisor. May be called again."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        assert supervisor.stdin is not None
        with contextlib.suppress(OSError):
            supervisor.stdin.close()
        try:
            supervisor.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait(_END_SECONDS)
            if self.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
        if supervisor.stdout is not None:
            supervisor.stdout.close()
        self.pid = None

    def _supervise(self, plan: Plan) -> None:
        with Path(plan.log).open("ab") as complaints:
            self._supervisor = subprocess.Popen(  # noqa: S603 - a list of words, no shell
                [sys.executable, "-I", "-S", str(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                pass_fds=tuple(plan.fds),
                start_new_session=True,
            )

    def _heard(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "started":
            self.pid = int(rest)
        elif word == "ended":
            self.pid, self.exit_code = None, int(rest)
        elif word == "failed":
            self._refused = rest

    def _over(self, word: str) -> None:
        with self._lock:
            if self.alive:
                self._tell(word)
                self._await(lambda: self.pid is None, word)

    def _tell(self, line: str) -> None:
        pipe = self._supervisor.stdin if self._supervisor else None
        if pipe is None or pipe.closed:
            raise ServiceError(f"{self.name} was never started, or is over")
        try:
            pipe.write(line.encode() + b"\n")
            pipe.flush()
        except OSError:
            raise ServiceError(f"the supervisor of {self.name} is gone") from None

    def _await(self, done: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + _ANSWER_SECONDS
        while not done():
            if (left := until - time.monotonic()) <= 0:
                raise ServiceError(f"the supervisor of {self.name} did not {what} it within {_ANSWER_SECONDS:g} s")
            self.look(left)
            if self._supervisor is not None and self._supervisor.poll() is not None and not done():
                raise ServiceError(f"the supervisor of {self.name} ended with exit code {self._supervisor.returncode}")

"""A person at a terminal of their own: a home, a configuration folder, a pseudo-terminal where one is needed."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from command_line.commands import clean
from quintet.testing.accounts.account import good_passphrase, random_address
from support.server import Server

__all__ = ["Person", "Typing"]

STEP = 30.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07")


class Typing:
    """A command in a pseudo-terminal; `screen` is all that it has printed, without colours."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.raw = b""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            try:
                os.chdir(folder)
                os.execvpe(command[0], list(command), dict(environment))
            finally:
                os._exit(127)
        self._code: int | None = None

    @property
    def screen(self) -> str:
        """Everything printed so far, without escapes."""
        return _ESCAPES.sub("", self.raw.decode(errors="replace")).replace("\r", "")

    def shows(self, words: str, within: float = STEP) -> str:
        """Wait until these words were printed."""
        deadline = time.monotonic() + within
        while words not in self.screen:
            assert self._read(deadline), f"waited in vain for {words!r}:\n{self.screen}"
        return self.screen

    def settles(self, prompt: str, within: float = STEP) -> str:
        """Wait until it waits for a person; what it has printed."""
        deadline = time.monotonic() + within
        while not self.screen.endswith(f"\n{prompt}"):
            assert self._read(deadline), f"it does not come to {prompt!r}:\n{self.screen}"
        return self.screen

    def type(self, text: str) -> None:
        """Type on the keyboard."""
        os.write(self._terminal, text.encode())

    def interrupt(self) -> None:
        """SIGINT, as Ctrl-C gives it."""
        os.kill(self._pid, signal.SIGINT)

    def ended(self, within: float = STEP) -> int:
        """Wait until it ended; its exit code."""
        deadline = time.monotonic() + within
        while self._read(deadline):
            pass
        while self._code is None:
            done, status = os.waitpid(self._pid, os.WNOHANG)
            if done:
                self._code = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, f"it did not end:\n{self.screen}"
            time.sleep(0.01)
        return self._code

    def close(self) -> None:
        """Nothing of it is left."""
        with contextlib.suppress(OSError):
            os.close(self._terminal)
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)

    def _read(self, deadline: float) -> bool:
        """More of what it prints; False at its end or at the deadline."""
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._terminal], [], [], left)[0]:
            return False
        try:
            data = os.read(self._terminal, 65_536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.raw += data
        return bool(data)


class Person:
    """Has a home folder, and an account once `register` was done."""

    def __init__(self, server: Server, home: Path) -> None:
        self.server = server
        self.home = home
        self.email = random_address()
        self.password = good_passphrase()
        self.terminals: list[Typing] = []

    @property
    def sessions(self) -> list[Path]:
        """The files of the sign-ins."""
        return sorted((self.home / "config" / "quintet" / "sessions").glob("*.json"))

    def environment(self, **more: str) -> dict[str, str]:
        """What the commands see."""
        return clean(
            {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "TERM": "xterm-256color", **more}
        )

    def run(self, *words: str, given: str = "", within: float = STEP, **more: str) -> subprocess.CompletedProcess[str]:
        """A command whose standard streams are pipes."""
        return subprocess.run(
            [sys.executable, "-m", "quintet", *words],
            cwd=self.home, env=self.environment(**more), input=given, capture_output=True, text=True, timeout=within, check=False,
        )  # fmt: skip

    def register(self) -> None:
        """Make the account from the terminal, through a pipe."""
        done = self.run("login", "--register", "--url", self.server.url, given=f"{self.email}\n{self.password}\n")
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{self.server.tail()}"

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """A command that goes on, with pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "quintet", *words],
            cwd=self.home, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def sit_down(self, *words: str) -> Typing:
        """A command in a terminal."""
        typing = Typing([sys.executable, "-m", "quintet", *words], self.home, self.environment())
        self.terminals.append(typing)
        return typing

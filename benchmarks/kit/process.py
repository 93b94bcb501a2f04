"""A process that is started for a benchmark, told things by lines of JSON, and ended with it.

Every wait has an end: a process that says nothing in time is a fault, with what it wrote last.
"""

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.kit.usage import Cpu, cpu_of, memory_of

__all__ = ["ROOT", "Process"]

ROOT = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 15.0


class Process:
    """One child. `cores` pins it, such as "0"."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        cores: str | None = None,
        log: Path | None = None,
        folder: Path = ROOT,
    ) -> None:
        pinned = ["taskset", "-c", cores] if cores else []
        self.log = log
        errors = log.open("ab") if log else subprocess.DEVNULL
        self.started_at = time.monotonic()
        self._child = subprocess.Popen(
            [*pinned, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        )
        if not isinstance(errors, int):
            errors.close()
        self.pid = self._child.pid
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _listen(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self._lines.put(line.decode(errors="replace").rstrip())
        self._lines.put(None)

    def line(self, within: float) -> str:
        """The next line it writes. Raises `RuntimeError` when none comes within `within` seconds."""
        try:
            line = self._lines.get(timeout=within)
        except queue.Empty:
            raise RuntimeError(f"process {self.pid} said nothing for {within:.0f} s{self._last_words()}") from None
        if line is None:
            raise RuntimeError(f"process {self.pid} has ended{self._last_words()}")
        return line

    def address(self, within: float = 30) -> str:
        """Wait for `… listening on http://…`, and return the address."""
        end = time.monotonic() + within
        while True:
            line = self.line(max(0.1, end - time.monotonic()))
            if " listening on http" in line:
                return line.rpartition(" ")[2]

    def tell(self, **command: Any) -> None:
        """Send it one line."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(command).encode() + b"\n")
        self._child.stdin.flush()

    def answer(self, within: float) -> dict[str, Any]:
        """The next line that is JSON; raises `RuntimeError` when it is a fault."""
        end = time.monotonic() + within
        while True:
            line = self.line(max(0.1, end - time.monotonic()))
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                if "fault" in found:
                    raise RuntimeError(f"process {self.pid}: {found['fault']}{self._last_words()}")
                return found

    def ask(self, within: float = 60, **command: Any) -> dict[str, Any]:
        """`tell`, then `answer`."""
        self.tell(**command)
        return self.answer(within)

    def cpu(self) -> Cpu:
        """What it has used since it started."""
        return cpu_of(self.pid)

    def memory(self) -> dict[str, int]:
        """What it holds."""
        return memory_of(self.pid)

    def end(self) -> None:
        """SIGTERM, and after a while SIGKILL."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait(5)

    def _last_words(self) -> str:
        if self.log is None or not self.log.exists():
            return ""
        return ":\n" + "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

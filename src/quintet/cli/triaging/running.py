"""Runs the tests: their output passes through and is kept, and a journal keeps what a JUnit file would lose.

1. The command is the person's own and is run as it is, without a shell; nothing is added to its words.
2. Bounds: a time for the whole, and of the output the first and the last part.
3. When the time is over it is asked to end as Ctrl-C would, so that pytest still writes what it knows; then it is made to.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

__all__ = ["NotStarted", "Ran", "run"]

MOST_KEPT = 16 * 1024 * 1024  # bytes at the beginning, and as many at the end
_LATE = 3.0  # seconds in which the last output may still come after the process has ended
_GRACE = 10.0  # seconds from the polite signal to the final one
_PLUGIN = "quintet_triage_journal"
_JOURNAL = Path(__file__).with_name(
    "journal.py"
)  # never imported here: it needs pytest, and belongs to the project's interpreter
_VARIABLE = "QUINTET_TRIAGE_JOURNAL"
_MOST_JOURNAL = 64 * 1024 * 1024


class NotStarted(Exception):  # noqa: N818 - what happened, not an error of ours
    """The command cannot be started; the text says why, in one line."""


class Ran(NamedTuple):
    """`code` is the process's own, negative for a signal; `stopped` is True where the time was over."""

    code: int
    console: bytes
    journal: bytes
    stopped: bool = False


def run(command: Sequence[str], seconds: float, out: BinaryIO | None) -> Ran:
    """Run it here, showing its output on `out` as it comes.

    Raises:
        NotStarted: there is no such program, or it may not be run.
    """
    with tempfile.TemporaryDirectory(prefix="quintet-triage-") as folder:
        place = Path(folder)
        shutil.copyfile(_JOURNAL, place / f"{_PLUGIN}.py")
        written = place / "journal.jsonl"
        environment = _environment(os.environ, place, written, out)
        begun = time.monotonic()
        try:
            process = subprocess.Popen(  # noqa: S603 - what the person has typed after `--`
                list(command),
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, ValueError) as fault:
            raise NotStarted(f"{command[0]} cannot be started: {getattr(fault, 'strerror', None) or fault}") from None
        with process:
            kept = _Kept(process.stdout, out)
            stopped = _wait(process, begun + seconds)
            kept.finish(_LATE)
        return Ran(process.returncode, kept.bytes(), _read(written), stopped)


def _environment(ours: Mapping[str, str], place: Path, written: Path, out: BinaryIO | None) -> dict[str, str]:
    """Ours, with the plugin within reach. Colours where a person looks on; they are taken out before reading."""
    paths = [str(place), *filter(None, [ours.get("PYTHONPATH", "")])]
    options = f"-p {_PLUGIN} {ours.get('PYTEST_ADDOPTS', '')}".strip()
    more = {"PYTHONPATH": os.pathsep.join(paths), "PYTEST_ADDOPTS": options, _VARIABLE: str(written)}
    if out is not None and out.isatty() and "NO_COLOR" not in ours:
        more |= {"PY_COLORS": "1", "COLUMNS": str(shutil.get_terminal_size().columns)}
    return {**ours, "PYTHONUNBUFFERED": "1", **more}


def _wait(process: "subprocess.Popen[bytes]", until: float) -> bool:
    """Until it ends or the time is over. An interrupt of the terminal reaches it as it reaches us: its own ending is awaited."""
    politely = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM))
    stopped = False
    for sign in politely:
        while True:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                break
            except KeyboardInterrupt:
                until = min(until, time.monotonic() + _GRACE)
                continue
            return stopped
        stopped = True
        with contextlib.suppress(OSError, ValueError):
            process.send_signal(sign)
        until = time.monotonic() + _GRACE
    process.wait()
    return stopped


def _read(written: Path) -> bytes:
    with contextlib.suppress(OSError), written.open("rb") as file:
        return file.read(_MOST_JOURNAL)
    return b""


class _Kept:
    """Reads a pipe to its end in a thread: shows it, and keeps its first and its last part."""

    def __init__(self, pipe: "IO[bytes] | None", out: BinaryIO | None) -> None:
        self._first, self._last, self._dropped = bytearray(), bytearray(), 0
        self._pipe, self._out = pipe, out
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        while self._pipe is not None and (chunk := os.read(self._pipe.fileno(), 65_536)):
            if self._out is not None:
                with contextlib.suppress(OSError, ValueError):
                    self._out.write(chunk)
                    self._out.flush()
            room = MOST_KEPT - len(self._first)
            self._first += chunk[:room]
            self._last += chunk[room:]
            over = len(self._last) - MOST_KEPT
            if over > MOST_KEPT // 4:
                del self._last[:over]
                self._dropped += over

    def finish(self, seconds: float) -> None:
        """What is left. A grandchild that holds the pipe open is not waited for."""
        self._thread.join(seconds)

    def bytes(self) -> bytes:
        """What was kept; a line tells of what was not."""
        gap = b"\n[%d bytes left out]\n" % self._dropped if self._dropped else b""
        return bytes(self._first) + gap + bytes(self._last)

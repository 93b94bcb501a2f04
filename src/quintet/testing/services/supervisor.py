"""A program, run by its path: keeps one service, and ends it with all its processes when its own owner is gone.

1. The owner holds our standard input. When it closes, or our parent changes (a forked copy of the owner may keep the pipe open), the
   service is stopped: its signal, a bounded wait, then -9 for its whole group and for whatever it left behind.
2. Standard library only, nothing imported from the project: it must start in milliseconds and outlive anything.
3. It speaks lines. In: `start {json}`, `signal N`, `kill`, `stop`. Out: `started PID`, `ended CODE`, `failed WORDS`.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_LOOK = 0.25  # seconds between two looks at who our parent is
_MOST_LINE = 1 << 20
_ABANDONED = 0.5  # seconds of patience once the owner is gone


class Kept:
    """The service: at most one process with its group, started again when asked."""

    def __init__(self) -> None:
        self.plan: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, plan: dict[str, Any]) -> None:
        self.end()
        self.plan = plan
        identity = {"user": plan["uid"], "group": plan["gid"], "extra_groups": []} if plan["uid"] is not None else {}
        log = os.open(plan["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self.process = subprocess.Popen(  # noqa: S603 - a list of words, no shell
                plan["argv"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=plan["cwd"],
                env=plan["env"],
                pass_fds=plan["fds"],
                start_new_session=True,
                **identity,
            )
        except OSError as fault:
            say(f"failed {fault}")
        else:
            say(f"started {self.process.pid}")
        finally:
            os.close(log)

    def signal(self, number: int) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def ended(self) -> bool:
        """Whether it ended by itself; its group goes before its number is free for somebody else."""
        if self.process is None:
            return True
        if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        self.sweep()
        return True

    def stop(self, most: float = 60.0) -> None:
        """Its own signal first, so that it can leave nothing behind; then no more patience."""
        self.signal(self.plan["stop"])
        until = time.monotonic() + min(self.plan["patience"], most)
        while not self.ended() and time.monotonic() < until:
            select.select([], [], [], 0.01)
        self.end()

    def end(self) -> None:
        if self.process is not None:
            self.sweep()

    def sweep(self) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        self.process = None
        for _ in range(8):  # what is killed may just have made another
            left = descendants(os.getpid())
            for pid in left:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            reap()
            if not left:
                break
        say(f"ended {code}")


def adopt_orphans() -> None:
    """On Linux, what the service abandons becomes our child, so that a daemon of its own does not escape."""
    if sys.platform == "linux":
        with suppress(Exception):
            import ctypes

            ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def descendants(root: int) -> list[int]:
    """All processes below one, where /proc tells."""
    parents = {}
    with suppress(OSError):
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(OSError, IndexError, ValueError):
                    state, parent = (folder / "stat").read_bytes().rpartition(b")")[2].split()[:2]
                    if state != b"Z":
                        parents[int(folder.name)] = int(parent)
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return list(found - {root})


def reap() -> None:
    """Takes the ends of adopted processes."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def say(words: str) -> None:
    """To the owner, who may be gone."""
    with suppress(OSError):
        os.write(1, words.replace("\n", " ").encode() + b"\n")


def obey(kept: Kept, line: bytes) -> None:
    """One line of the owner."""
    word, _, rest = line.partition(b" ")
    if word == b"start":
        kept.start(json.loads(rest))
    elif word == b"signal":
        kept.signal(int(rest))
    elif word == b"kill":
        kept.end()
    elif word == b"stop":
        kept.stop()


def watch(kept: Kept, woken: int) -> None:
    """Until the owner is gone."""
    owner, pending = os.getppid(), b""
    while os.getppid() == owner:
        ready = select.select([0, woken], [], [], _LOOK)[0]
        if woken in ready and signal.SIGTERM in os.read(woken, 4096):
            return
        if 0 in ready:
            piece = os.read(0, 65536)
            if not piece or len(pending) > _MOST_LINE:
                return
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                obey(kept, line)
        kept.ended()


def main() -> None:
    """Keeps the service, then leaves nothing of it."""
    adopt_orphans()
    kept = Kept()
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        watch(kept, read)
    finally:
        if kept.process is not None:
            kept.stop(_ABANDONED)
        for folder in kept.plan.get("remove", ()):
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # that of the run, when this was the last service in it
                Path(folder).parent.rmdir()


if __name__ == "__main__":
    main()

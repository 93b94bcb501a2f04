"""A server on the stage, Quintet or a peer, with a crowd of readers before it: what `push` and `latency` have in common."""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.kit.process import Process
from benchmarks.kit.server import quintet
from benchmarks.peers import PEERS, running

__all__ = ["Load", "Stage", "reader", "stage"]

ENVELOPE = 406  # bytes of Quintet's event around a text of 22 characters and more


class Load(NamedTuple):
    """`each` events to each of `users`, at `rate` events a second together; 0 is as fast as it goes. `size`: bytes of an event."""

    users: int
    each: int
    rate: float
    size: int


class Stage(NamedTuple):
    """Who is measured, what may be counted to it, and the readers."""

    server: Process
    redis: Process | None
    readers: Process

    def play(self, load: Load) -> dict[str, Any]:
        """Have events told, wait until they have arrived, and return the figures."""
        count = load.users * load.each
        self.readers.ask(do="expect", count=count, mark='"agent_thinking"')
        beside = [self.server, *([self.redis] if self.redis else [])]
        before, start = [one.cpu() for one in beside], time.monotonic_ns()
        padding = max(0, load.size - ENVELOPE)
        self.server.ask(do="play", rate=load.rate, each=load.each, bytes=load.size, padding=padding)
        seconds = 20 + (3 * count / load.rate if load.rate else count / 500)
        seen = self.readers.ask(within=seconds + 10, do="counted", seconds=seconds)
        used = [one.cpu().since(old) for one, old in zip(beside, before, strict=True)]
        events = max(1, seen["events"])
        return {
            "cpu_us": sum(cpu.total for cpu in used) / events,
            "system_us": sum(cpu.system for cpu in used) / events,
            "redis_us": used[1].total / events if self.redis else None,
            "events": seen["events"],
            "missing": count - seen["events"],
            "disorder": seen["disorder"],
            "bytes": seen["bytes"],
            "per_second": events / ((seen["last"] - start) / 1e9),
            "delays_us": seen["delays_us"],
        }


@contextlib.contextmanager
def reader(cores: str | None = None) -> Iterator[Process]:
    """A process of readers."""
    with tempfile.TemporaryDirectory(prefix="quintet-readers-") as folder:
        command = [sys.executable, "-m", "benchmarks.kit.reader"]
        with Process(command, cores=cores, log=Path(folder) / "readers.log") as process:
            yield process


@contextlib.contextmanager
def stage(name: str, users: int, cores: tuple[str | None, str | None] = (None, None)) -> Iterator[Stage]:
    """`quintet` or a peer, `users` connected to it, everything quiet. `cores`: of the server, of the readers."""
    with reader(cores[1]) as readers:
        if name == "quintet":
            with quintet(users, cores=cores[0], runs=users) as served:
                readers.ask(do="connect", url=served.url, dialect="quintet", tokens=served.tokens)
                readers.ask(do="expect", count=users, mark='"agent_started"')
                readers.ask(do="send", text="Play", agent="metronome")
                readers.ask(within=90, do="counted", seconds=60)
                _joined(served.process, users)
                yield Stage(served.process, None, readers)
                return
        peer = PEERS[name]
        with running(peer, cores=cores[0]) as run:
            tokens = [f"reader{number:05d}" for number in range(users)]
            readers.ask(do="connect", url=run.url, dialect=peer.dialect, tokens=tokens)
            _joined(run.process, users)
            yield Stage(run.process, run.redis, readers)


def _joined(server: Process, users: int) -> None:
    end = time.monotonic() + 30
    while (members := server.ask(do="members")["members"]) < users:
        if time.monotonic() > end:
            raise RuntimeError(f"only {members} of {users} took part after 30 s")
        time.sleep(0.1)
    time.sleep(0.5)

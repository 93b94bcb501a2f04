"""A server on the stage, Quintet or a peer, with a crowd of readers before it: what `push` and `latency` have in common."""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.kit.database import Database
from benchmarks.kit.process import Process
from benchmarks.kit.server import Served, fleet, quintet
from benchmarks.peers import PEERS, running

__all__ = ["OWN", "Load", "Stage", "reader", "served", "stage"]

OWN = {"quintet": 0, "postgres": 0, "gateways": 2}  # ours, and how many gateways beside a worker

ENVELOPE = 406  # bytes of Quintet's event around a text of 22 characters and more


class Load(NamedTuple):
    """`each` events to each of `users`, at `rate` events a second together; 0 is as fast as it goes. `size`: bytes of an event."""

    users: int
    each: int
    rate: float
    size: int


class Stage(NamedTuple):
    """Who is measured, its other processes, who keeps its events where that is a process of its own, and the readers."""

    server: Process
    beside: Sequence[Process]
    keeper: Process | Database | None
    readers: Process

    def play(self, load: Load) -> dict[str, Any]:
        """Have events told, wait until they have arrived, and return the figures."""
        count = load.users * load.each
        self.readers.ask(do="expect", count=count, mark='"agent_thinking"')
        counted = [self.server, *self.beside, *([self.keeper] if self.keeper else [])]
        before, start = [one.cpu() for one in counted], time.monotonic_ns()
        padding = max(0, load.size - ENVELOPE)
        self.server.ask(do="play", rate=load.rate, each=load.each, bytes=load.size, padding=padding)
        seconds = 20 + (3 * count / load.rate if load.rate else count / 500)
        seen = self.readers.ask(within=seconds + 10, do="counted", seconds=seconds)
        used = [one.cpu().since(old) for one, old in zip(counted, before, strict=True)]
        events = max(1, seen["events"])
        return {
            "cpu_us": sum(cpu.total for cpu in used) / events,
            "system_us": sum(cpu.system for cpu in used) / events,
            "beside_us": sum(cpu.total for cpu in used[1 : 1 + len(self.beside)]) / events if self.beside else None,
            "keeper_us": used[-1].total / events if self.keeper else None,
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
    """One of ours or a peer, `users` connected to it, everything quiet. `cores`: of the server, of the readers."""
    with reader(cores[1]) as readers:
        if name in OWN:
            with served(name, users, cores=cores[0], runs=users) as ours:
                asked = {"url": ours.url, "also": ours.also, "tokens": ours.tokens}
                readers.ask(within=60 + users / 50, do="connect", dialect="quintet", **asked)
                readers.ask(do="expect", count=users, mark='"agent_started"')
                readers.ask(within=60 + users / 50, do="send", text="Play", agent="metronome")
                readers.ask(within=90 + users / 50, do="counted", seconds=60 + users / 50)
                _joined(ours.process, users)
                yield Stage(ours.process, ours.beside, ours.database, readers)
                return
        peer = PEERS[name]
        with running(peer, cores=cores[0]) as run:
            tokens = [f"reader{number:05d}" for number in range(users)]
            readers.ask(do="connect", url=run.url, dialect=peer.dialect, tokens=tokens)
            _joined(run.process, users)
            yield Stage(run.process, (), run.redis, readers)


def served(
    name: str,
    users: int,
    *,
    cores: str | None = None,
    runs: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> contextlib.AbstractContextManager[Served]:
    """One of ours, with its users. Only the one on SQLite can be bound to `cores`."""
    if name == "quintet":
        return quintet(users, cores=cores, runs=runs, variables=variables)
    return fleet(users, gateways=OWN[name], runs=runs, variables=variables)


def _joined(server: Process, users: int) -> None:
    end = time.monotonic() + 30 + users / 50
    while (members := server.ask(do="members")["members"]) < users:
        if time.monotonic() > end:
            raise RuntimeError(f"only {members} of {users} took part in time")
        time.sleep(0.1)
    time.sleep(0.5)

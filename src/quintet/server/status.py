"""How an installation is, read from its database by an operator: the processes, what they hold, what waits, and what is wrong with it.

1. It asks the database and no process, so it says something also of those that hang.
2. Every list is bounded; its length is told beside it. Nothing of what users wrote is read.
3. Healthy is an answer to "must somebody look?": people are served, agents run, nothing is held by the dead, nothing waits for long.
"""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from quintet.errors import QuintetError
from quintet.server.beside import SQLITE, opened_beside
from quintet.server.cells import CellState, cell_states, map_problems, misplaced
from quintet.settings import Settings, StartError
from quintet.store import Store, Tx
from quintet.store.cells import Holding, holding_in
from quintet.store.nodes import Seen, nodes_in, now_in

__all__ = ["LEASES", "Lag", "Lease", "Logs", "NodeState", "Status", "status_of"]

LEASES = 100  # of those that are listed, the oldest
WAITING_SECONDS = 30.0  # a run that has waited longer is worth a look
_NOTICES_FULL = 0.5

_LEASES = (
    "SELECT id, agent, worker_id, attempt, coalesce(started_at, created_at), worker_id IN (SELECT id FROM workers)"
    " FROM runs WHERE state IN ('queued', 'running') AND state = 'running' ORDER BY 5 LIMIT ?"
)
_LAG = (
    "SELECT count(*) FILTER (WHERE state = 'queued'), count(*) FILTER (WHERE state = 'running'),"
    " count(*) FILTER (WHERE ready = 1), min(created_at) FILTER (WHERE ready = 1)"
    " FROM runs WHERE state IN ('queued', 'running')"
)
_LOGS = "SELECT count(*), coalesce(sum(seq), 0), coalesce(max(seq), 0) FROM heads WHERE epoch <> '-'"
_CLUSTER = "SELECT system, timeline, since FROM lineages ORDER BY since DESC, timeline DESC LIMIT 1"
_NOTICES = "SELECT pg_notification_queue_usage()"

State = Literal["up", "draining", "silent", "gone"]


class NodeState(NamedTuple):
    """A process: `up`; `draining`, on its way out; `silent` for longer than a worker's life; `gone`: replaced, or its lock is free."""

    seen: Seen
    state: State


class Lease(NamedTuple):
    """A run that a worker holds. `held`: by one that lives, as far as the database knows."""

    run_id: str
    agent: str
    worker_id: str
    attempt: int
    age_ms: int
    held: bool
    node_id: str | None = None


class Lag(NamedTuple):
    """What waits: runs, and of those that could be leased now how long the oldest has; how full PostgreSQL's queue of notices is, from 0 to 1."""

    queued: int
    running: int
    ready: int
    oldest_ready_ms: int | None
    notices: float | None


class Logs(NamedTuple):
    """How many logs there are, how many events were ever appended to them, the longest; which clusters of PostgreSQL write them."""

    logs: int
    events: int
    longest: int
    clusters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """All of it, of one moment."""

    database: Literal["sqlite", "postgresql"]
    nodes: Sequence[NodeState]
    leases: Sequence[Lease]
    lag: Lag
    logs: Logs
    cells_away: int = 0
    cells: Sequence[CellState] = ()
    holding: Holding | None = None
    misplaced: Sequence[str] = ()

    @property
    def problems(self) -> list[str]:
        """What somebody should look at, a sentence each; none where all is well."""
        return list(_problems(self))

    def view(self) -> dict[str, Any]:
        """As JSON. Times are in seconds before now."""
        return {
            "healthy": not self.problems,
            "problems": self.problems,
            "database": self.database,
            "nodes": [_node_view(node) for node in self.nodes],
            "leases": [_lease_view(lease) for lease in self.leases],
            "lag": {
                "runs_queued": self.lag.queued,
                "runs_running": self.lag.running,
                "runs_ready": self.lag.ready,
                "oldest_ready_seconds": _seconds(self.lag.oldest_ready_ms),
                "notices_queue": self.lag.notices,
            },
            "heads": self.logs._asdict(),
            "cells_away": self.cells_away,
            "cells": [cell.view() for cell in self.cells],
        }


class _Read(NamedTuple):
    """What one database tells."""

    seen: list[Seen]
    leases: list[Lease]
    lag: Lag
    logs: Logs
    holding: Holding | None


async def status_of(settings: Settings) -> Status:
    """Ask the database, and its cells. Raises `StartError`: it is not there, not of this version, or does not answer."""
    async with opened_beside(settings, checks=False) as store:
        found = await _of_cells(store)
        answered = [read for read in found if read is not None]
        seen, leases, lag, logs, holding = _together(answered)
        nodes = [] if store.shared else await _of_one(store, seen, settings)
    if store.shared:
        nodes = _of_several(seen, settings.worker_life_seconds * 1000)
        cells, wrong = cell_states(settings, found), misplaced(settings, found)
        return Status("postgresql", nodes, leases, lag, logs, len(found) - len(answered), cells, holding, wrong)
    held = any(node.state != "gone" for node in nodes)
    return Status("sqlite", nodes, [lease._replace(held=held) for lease in leases], lag, logs)


async def _of_one(store: Store, seen: Sequence[Seen], settings: Settings) -> list[NodeState]:
    """The server of a file. One that has ended since it was seen took its row away before it gave up the lock."""
    nodes = [NodeState(each, _living(each) if _has_lock(each, settings) else "gone") for each in seen]
    if all(node.state != "gone" for node in nodes):
        return nodes
    left = {each.node.id for each in await store.read(nodes_in)}
    return [node for node in nodes if node.seen.node.id in left]


async def _of_cells(store: Store) -> list[_Read | None]:
    """What each tells, that of the accounts first; None of one that does not answer."""
    home, *others = store.cells
    try:
        found: list[_Read | None] = [await home.read(_read_in)]
    except QuintetError as error:
        raise StartError("The database does not answer", "Look at its own log.") from error
    for cell in others:
        try:
            found.append(await cell.read(_read_in))
        except QuintetError:
            found.append(None)
    return found


def _read_in(tx: Tx) -> _Read:
    now, seen = now_in(tx), nodes_in(tx)
    by = {each.node.worker_id: each.node.id for each in seen}
    leases = [
        Lease(run_id, agent, worker_id, attempt, max(0, now - since), bool(held), by.get(worker_id))
        for run_id, agent, worker_id, attempt, since, held in tx.sql(_LEASES, (LEASES,)).fetchall()
    ]
    queued, running, ready, oldest = tx.sql(_LAG).fetchone()
    notices = float(tx.sql(_NOTICES).fetchone()[0]) if tx.shared else None
    lag = Lag(queued, running, ready, None if oldest is None else max(0, now - oldest), notices)
    logs, events, longest = tx.sql(_LOGS).fetchone()
    row = tx.sql(_CLUSTER).fetchone() if tx.shared else None
    told = Logs(logs, int(events), longest, () if row is None else (f"{row[0]}/{row[1]}",))
    return _Read(seen, leases, lag, told, holding_in(tx))


def _together(found: Sequence[_Read]) -> _Read:
    """As if they were one. A process shows itself in every cell; where it was heard of last counts."""
    nodes: dict[str, Seen] = {}
    for seen in sorted((each for read in found for each in read.seen), key=lambda each: each.silent_ms):
        nodes.setdefault(seen.node.id, seen)
    leases = sorted((lease for read in found for lease in read.leases), key=lambda lease: -lease.age_ms)
    lags, logs = [read.lag for read in found], [read.logs for read in found]
    lag = Lag(
        sum(lag.queued for lag in lags),
        sum(lag.running for lag in lags),
        sum(lag.ready for lag in lags),
        max((lag.oldest_ready_ms for lag in lags if lag.oldest_ready_ms is not None), default=None),
        max((lag.notices for lag in lags if lag.notices is not None), default=None),
    )
    clusters = tuple(cluster for each in logs for cluster in each.clusters)
    told = Logs(
        sum(each.logs for each in logs), sum(each.events for each in logs), max(each.longest for each in logs), clusters
    )
    return _Read(sorted(nodes.values(), key=lambda each: -each.up_ms), leases[:LEASES], lag, told, found[0].holding)


def _of_several(seen: Sequence[Seen], life_ms: int) -> list[NodeState]:
    """One that is silent counts as gone when another of its kind has begun on its host since: it was replaced."""

    def replaced(old: Seen) -> bool:
        place = (old.node.host, old.node.role)
        return any((new.node.host, new.node.role) == place and new.up_ms < old.silent_ms for new in seen)

    return [
        NodeState(each, _living(each) if each.silent_ms <= life_ms else "gone" if replaced(each) else "silent")
        for each in seen
    ]


def _living(seen: Seen) -> State:
    return "draining" if seen.node.draining else "up"


def _has_lock(seen: Seen, settings: Settings) -> bool:
    """Whether the server of a file lives. Its lock is touched only where its process is there: a start must not meet this."""
    if seen.node.host == socket.gethostname():
        try:
            os.kill(seen.node.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # another user's
            pass
    path = Path(settings.database.removeprefix(SQLITE)).resolve()
    with contextlib.suppress(OSError):
        handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
    return False


def _problems(status: Status) -> Iterator[str]:
    up = {node.seen.node.role for node in status.nodes if node.state == "up"}
    if not up & {"all", "gateway"}:
        yield "No server is up that people could reach."
    if not up & {"all", "worker"}:
        yield "No worker is up, so no agent runs."
    for node in status.nodes:
        if node.state == "silent":
            name = f"{node.seen.node.role} {node.seen.node.id} on {node.seen.node.host}"
            yield f"The {name} has not been heard of for {node.seen.silent_ms // 1000} s."
    if status.cells_away:
        yield f"{status.cells_away} cells do not answer: their users have to wait."
    living = [node.seen.node for node in status.nodes if node.state in {"up", "draining"}]
    yield from status.misplaced
    yield from map_problems(status.holding, living)
    orphans = sum(not lease.held for lease in status.leases)
    if orphans:
        yield f"{orphans} runs are held by workers that are gone."
    if (status.lag.oldest_ready_ms or 0) > WAITING_SECONDS * 1000:
        yield f"A run has been waiting for a worker for {(status.lag.oldest_ready_ms or 0) // 1000} s."
    if (status.lag.notices or 0) > _NOTICES_FULL:
        yield "PostgreSQL's queue of notices fills: some connection listens and does not read."


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else round(ms / 1000, 1)


def _node_view(node: NodeState) -> dict[str, Any]:
    times = {"up_seconds": _seconds(node.seen.up_ms), "last_beat_seconds": _seconds(node.seen.silent_ms)}
    return {**node.seen.node._asdict(), "state": node.state, **times}


def _lease_view(lease: Lease) -> dict[str, Any]:
    told = {name: value for name, value in lease._asdict().items() if name != "age_ms"}
    return {**told, "age_seconds": _seconds(lease.age_ms)}

"""What works on one store of conversations: the worker, who ends the runs of dead ones, what goes by itself. Each cell has a crew."""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial

from quintet import __version__, runs
from quintet.chat import Purging
from quintet.engine import Registry, Worker
from quintet.engine.reaper import Reaper
from quintet.log import Expiring, Log
from quintet.server import values
from quintet.server.opening import map_digest
from quintet.server.presence import Presence
from quintet.settings import Role, Settings
from quintet.sources import Sources
from quintet.store import Store
from quintet.store.nodes import Node, is_oldest

__all__ = ["Crew", "Crews"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Crew:
    """Those of one store."""

    store: Store
    worker: Worker
    reaper: Reaper
    purging: Purging
    expiring: Expiring
    presence: Presence

    async def close(self) -> None:
        """End what is done again and again; the worker has been drained."""
        await self.reaper.close()
        await self.purging.close()
        await self.expiring.close()
        await self.presence.close()


class Crews:
    """All of them. `found` grows when a cell comes that was away at the start."""

    def __init__(self, settings: Settings, role: Role, sources: Sources, log: Log, registry: Registry) -> None:
        self._settings = settings
        self._role = role
        self._sources = sources
        self._log = log
        self._registry = registry
        self._node_id = sources.new_id("nod")
        self._shown = False
        self.found: list[Crew] = []

    @property
    def workers(self) -> list[Worker]:
        """Their workers; those of a gateway have never begun."""
        return [crew.worker for crew in self.found]

    async def add(self, store: Store) -> None:
        """Begin to work on a store: first with what a dead process has left. Raises QuintetError: the store cannot."""
        settings, sources = self._settings, self._sources
        if not store.shared:  # the lock proves dead whoever ran something; of several processes others may live
            await self._end_what_was_left(store)
        purging = Purging(store, sources)
        await purging.catch_up()
        # What runs in a cell is told there, also while its shard is nobody's: it ends before the shard leaves, or is fenced then.
        log = Log(store) if settings.cells else self._log
        worker = Worker(store, log, self._registry, sources=sources, limits=values.engine(settings))
        if self._role != "gateway":
            await worker.start()
        reaper = Reaper(store, sources, life=settings.worker_life_seconds, most_running=settings.runs_per_user)
        if store.shared:
            reaper.start()
        purging.start()
        mine = partial(is_oldest, node_id=self._node_id, life_ms=settings.worker_life_seconds * 1000)
        expiring = Expiring(store, sources, settings.events_kept_days, mine=mine)
        expiring.start()
        presence = self._presence(store, worker)
        self.found.append(Crew(store, worker, reaper, purging, expiring, presence))
        if self._shown:
            await presence.start()

    def _presence(self, store: Store, worker: Worker) -> Presence:
        worker_id = None if self._role == "gateway" else worker.worker_id
        node = Node.here(self._node_id, self._role, __version__, worker_id, map_digest(self._settings))
        return Presence(store, node, self._settings.worker_life_seconds, compares=not self.found)

    async def show(self) -> None:
        """This process serves: say so where it works."""
        self._shown = True
        for crew in self.found:
            await crew.presence.start()

    async def drain(self) -> None:
        """Lease nothing more and wait for running runs, for as long as the settings say."""
        await asyncio.gather(*(crew.presence.drain() for crew in self.found))
        if self._role != "gateway":
            async with asyncio.TaskGroup() as draining:
                for worker in self.workers:
                    draining.create_task(worker.drain())

    async def close(self) -> None:
        """End the rest."""
        for crew in self.found:
            await crew.close()

    async def _end_what_was_left(self, store: Store) -> None:
        moment, most = runs.moment(self._sources), self._settings.runs_per_user
        lost = await store.write("", lambda tx: runs.lose_all(tx, moment, most_running=most))
        if lost:
            logger.warning("%d runs were going on when the last server ended: closed as worker_lost", len(lost))

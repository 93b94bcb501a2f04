"""Ends the runs of workers that are dead, wherever they ran. Every process looks; none leads.

1. Dead is whose beat stood still for a life, by this process's own monotonic clock: no wall clock and no other machine's is asked.
2. After an outage of the database, or of this process, nobody is judged for a life: those who could not beat are not dead.
3. Two that look at the same time do no harm: a worker is buried once, a run is ended once.
"""

import contextlib
import logging
from functools import partial

from quintet import runs
from quintet.log import Fenced
from quintet.periodic import Periodic
from quintet.sources import Sources
from quintet.store import Store

__all__ = ["LOOKS", "Reaper"]

logger = logging.getLogger(__name__)

LOOKS = 6  # in a life
_AWAY = 60.0  # seconds for which the agents of a worker that went are known: it may be restarting
_GAP = 3  # looks that may be missed before it was an outage


class Reaper:
    """Looks at the beats of all workers. `life` in seconds."""

    def __init__(self, store: Store, sources: Sources, *, life: float, most_running: int) -> None:
        self._store = store
        self._sources = sources
        self._life = life
        self._most_running = most_running
        self._seen: dict[str, tuple[int, float]] = {}  # by worker: its beat, and when that was new here
        self._looked = sources.monotonic()
        self._absent: dict[str, float] = {}  # workers that went, and since when this process knows
        self.lost = 0
        looking = Periodic("looking for dead workers", self.look, life / LOOKS)
        self.start = looking.start
        self.close = looking.close

    async def look(self) -> None:
        """Judge every worker, and end what is nobody's. Raises QuintetError: the store cannot."""
        beats = await self._store.read(runs.beats_in)
        now = self._sources.monotonic()
        if now - self._looked > self._life / LOOKS * _GAP:
            self._seen.clear()
        self._looked = now
        self._seen = {
            worker: self._seen[worker] if worker in self._seen and self._seen[worker][0] == beat else (beat, now)
            for worker, beat in beats.items()
        }
        for worker, (beat, since) in self._seen.items():
            if now - since > self._life and await self._store.write(
                worker, partial(runs.bury, worker_id=worker, stood_at=beat)
            ):
                logger.warning("a worker has been without a beat for %.0f s: taken for dead", now - since)
        await self._end_orphans()
        await self._forget(now)

    async def _end_orphans(self) -> None:
        for orphan in await self._store.read(runs.orphans_in):
            moment = runs.moment(self._sources)
            step = partial(runs.end_orphan, orphan=orphan, moment=moment, most_running=self._most_running)
            with contextlib.suppress(Fenced):  # another was quicker
                await self._store.write(orphan.user_id, step)
                self.lost += 1
                logger.warning("a run of a dead worker was closed as worker_lost")

    async def _forget(self, now: float) -> None:
        absent = await self._store.read(runs.absent_in)
        self._absent = {worker: self._absent.get(worker, now) for worker in absent}
        for worker, since in self._absent.items():
            if now - since > _AWAY:
                await self._store.write("", partial(runs.forget_agents, worker_id=worker))

"""The lookout: finds loops that do not turn, and the agent that holds each.

1. First it interrupts the culprit alone, so that its neighbours go on. That ends whatever runs Python for ever.
2. What waits in C is not reached by that. Then the loop is given up with all its runs: the culprit's fault, its neighbours' bad luck.
3. Whoever was asleep itself (a stopped process, a closed lid) accuses nobody.
"""

import asyncio
import logging

from quintet.engine.counters import Counters
from quintet.engine.limits import Limits
from quintet.engine.loops import AgentLoop
from quintet.engine.watch import Watch
from quintet.runs import Failed

__all__ = ["Lookout"]

logger = logging.getLogger(__name__)


class Lookout:
    """Asks the loops of a watch for signs of life. Lives on the watch's thread."""

    def __init__(self, watch: Watch, limits: Limits, counters: Counters) -> None:
        self._watch = watch
        self._limits = limits
        self._counters = counters
        self._rescues: dict[AgentLoop, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """For ever, but only while there are runs."""
        period = min(self._limits.ping, self._limits.held / 4)
        loop = self._watch.loop
        while True:
            await self._watch.busy.wait()
            before = loop.time()
            await asyncio.sleep(period)
            asleep = loop.time() - before > period + self._limits.held / 2
            for home in tuple(self._watch.loops.all):
                if asleep:
                    home.forgive()
                if home.stories and home not in self._rescues:
                    self._look(home)

    def _look(self, home: AgentLoop) -> None:
        home.ask()
        if home.late > self._limits.held:
            self._counters.add("held")
            rescue = self._watch.loop.create_task(self._rescue(home))
            self._rescues[home] = rescue
            rescue.add_done_callback(lambda _: self._rescues.pop(home, None))

    async def _rescue(self, home: AgentLoop) -> None:
        culprit = home.holder()
        where = home.where()
        name = "?" if culprit is None else culprit.leased.agent
        logger.error("agent %s has held its loop for %.1f s, at %s", name, home.late, where)
        if culprit is not None:
            culprit.note(f"this run held its loop, at {where}")
            culprit.stop(Failed("agent_error"))
        if home.late and home.holder() is culprit:  # or it has just come back, and a neighbour is at work
            home.interrupt()
        until = self._watch.loop.time() + self._limits.rescue
        while home.late and self._watch.loop.time() < until:  # noqa: ASYNC110 - the loop asked may be the one that never turns
            await asyncio.sleep(min(0.02, self._limits.rescue / 4))
        if home.late:
            self._watch.lose(home, culprit)
        else:
            self._counters.add("rescued")

"""A story: log, worker, watch, agents' loops, feeds and people on one scheduler, from the first message to silence.

Everything is the product's own. Only what would be a thread is a strand of the scheduler, and time, chance and ids are the seed's.
"""

import asyncio
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

from deterministic.people import Author, Device
from deterministic.scheduler import NoThread, Scheduler
from deterministic.storage import Faults, Moment, SteppedStore
from deterministic.times import HASTY, LATE, PROMPT, REST
from quintet import runs
from quintet.chat import Submitting, cancelling
from quintet.delivery.config import GatewayConfig, Parts
from quintet.delivery.connections import Connections
from quintet.edge.origins import OriginPolicy
from quintet.engine import Limits, Registry, Turn, agent, loops, tool, watch
from quintet.engine.worker import Worker
from quintet.errors import QuintetError
from quintet.log import Fenced, Log, create_head, stream
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Tx
from support.kernel import add_user

__all__ = ["LIMITS", "Plan", "Story", "threadless"]

LIMITS = Limits(
    runs=4, outbox=6, batch=3, grace=1.0, ping=0.5, held=20.0, lag=5.0, loops=2, loops_cap=3, drain=20, late_ending=20
)


class Plan(NamedTuple):
    """What a seed has in store. Shares are from 0 to 1, times in seconds."""

    users: int
    messages: int
    slow: float  # of writes after which a device takes nothing for a while
    stay: float  # at most, on one socket
    thief: float  # of looks at which a running run is given up behind its worker's back
    out: bool  # one user is shut out
    hasty: float
    ring: int  # events that the log keeps at hand
    faults: Faults

    @classmethod
    def of(cls, seed: int) -> "Plan":
        """The plan of a seed: one half is prompt, the others have faults of some kind."""
        chance = random.Random(seed ^ 0x5EED)
        rough = chance.random() < 0.5
        faults = Faults(
            full=chance.choice((0.0, 0.05)) if rough else 0.0,
            lost=chance.choice((0.0, 0.2)) if rough else 0.0,
            doubled=chance.choice((0.0, 0.2)),
        )
        return cls(
            users=chance.randint(1, 2),
            messages=chance.randint(2, 5),
            slow=chance.choice((0.0, 0.1, 0.5)),
            stay=chance.choice((0.2, 1.0, 5.0)),
            thief=chance.choice((0.0, 0.3)),
            out=chance.random() < 0.3,
            ring=chance.choice((1, 256)),
            hasty=chance.choice((0.0, 0.01)) if rough else 0.0,
            faults=faults,
        )


class _Shadow:
    """A module of the standard library, with something else in one place, for one module of ours."""

    def __init__(self, module: Any, **changed: Any) -> None:
        self.__dict__.update(changed)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


@contextmanager
def threadless(scheduler: Scheduler, ring: int) -> Iterator[None]:
    """In here the watch and the agents' loops are strands of the scheduler, and the log's rings hold `ring` events."""
    numbers: dict[Any, int] = {}
    changed: list[tuple[Any, str, Any]] = [
        (stream, "RING_EVENTS", ring),
        (watch, "asyncio", _Shadow(asyncio, new_event_loop=partial(scheduler.loop, "watch"))),
        (watch, "threading", _Shadow(threading, Thread=NoThread)),
        (loops, "uvloop", _Shadow(uvloop, new_event_loop=partial(scheduler.loop, "agents"))),
        (loops, "threading", _Shadow(threading, Thread=NoThread)),
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in changed]
    for module, name, value in changed:
        setattr(module, name, value)
    # A set of tasks is walked in the order of their hashes, which must not be that of addresses.
    setattr(loops._Task, "__hash__", lambda task: numbers.setdefault(id(task), scheduler.count()))  # noqa: B010
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
        del loops._Task.__hash__


class Story:
    """One seed's."""

    def __init__(self, seed: int, database: Path, plan: Plan | None = None) -> None:
        self.plan = plan or Plan.of(seed)
        self.scheduler = Scheduler(seed, self.plan.hasty)
        self.chance = self.scheduler.chance
        self.sources = Sources(
            now_ms=lambda: int(self.scheduler.now * 1000),
            monotonic=lambda: self.scheduler.now,
            new_id=lambda prefix: f"{prefix}_{self.chance.randbytes(12).hex()}",
            token_bytes=self.chance.randbytes,
        )
        self.store = SteppedStore(database, self.scheduler, self.plan.faults)
        self.authors: list[Author] = []
        self.devices: list[Device] = []
        self.effects: list[tuple[str, str]] = []  # run, mark
        self.stopped_at: dict[str, int] = {}  # by run: the scheduler's step at which a cancel was answered
        self.revoked_at: dict[str, Moment] = {}  # by user: when a revocation was answered
        self.stolen: list[str] = []
        self.patience = HASTY if self.plan.hasty else LATE if self.plan.faults.lost else PROMPT
        self.healed = self.over = False

    # --- the parts ----------------------------------------------------------------------------------------------------

    def play(self, judge: Callable[["Story"], None]) -> None:
        """From the first message to silence; then `judge` looks at it all, before the store is closed."""
        with threadless(self.scheduler, self.plan.ring):
            home = self.scheduler.loop("delivery")
            try:
                self.scheduler.run(home, self._all(judge))
            finally:
                self.store.end()

    async def _all(self, judge: Callable[["Story"], None]) -> None:
        self.task = asyncio.current_task()
        self.log = Log(self.store)
        await self.log.start()
        self.worker = Worker(self.store, self.log, self._agents(), sources=self.sources, limits=LIMITS, worker_id="w")
        await self._patiently(self.worker.start)
        self.parts = Parts(
            log=self.log,
            authenticate=self._nobody,
            still_valid=self._stands,
            submit=Submitting(self.store, self.sources, default_agent="worker"),
            cancel=cancelling(self.store, self.sources),
            origins=OriginPolicy(None, (), True),
            sources=self.sources,
            config=GatewayConfig(write_bytes=2000),
            connections=Connections(10, 10),
        )
        for number in range(self.plan.users):
            await self._people(f"usr_{number}")
        thief = asyncio.create_task(self._steal())
        out = asyncio.create_task(self._shut_out(self.authors[-1].user_id))
        lives = [asyncio.create_task(device.live()) for device in self.devices]
        await asyncio.gather(*(author.live() for author in self.authors))
        thief.cancel()
        await out
        self.plan.faults.heal()
        self.scheduler.hasty = 0.0
        self.healed = True
        await self._rest()
        self.over = True
        await asyncio.gather(*lives)
        await self.worker.drain()
        await self.log.close()
        judge(self)

    async def _people(self, user_id: str) -> None:
        def register(tx: Tx) -> None:
            add_user(tx, user_id, user_id)
            create_head(tx, user_id, self.sources.token_bytes(6).hex())

        await self._patiently(lambda: self.store.write(user_id, register))
        self.authors.append(Author(self, user_id))
        self.devices += [Device(self, user_id, f"device {n} of {user_id}") for n in range(2)]

    async def _patiently(self, deed: Callable[[], Any]) -> Any:
        """As a start does it that meets a full disk: again."""
        while True:
            try:
                return await deed()
            except QuintetError:
                await asyncio.sleep(0.1)

    async def _nobody(self, token: str) -> Identity:
        raise AssertionError(f"nobody has a token here: {token}")

    async def _stands(self, identity: Identity) -> bool:
        query = "SELECT disabled_at FROM users WHERE id = ?"
        return await self.store.read(lambda tx: tx.sql(query, (identity.user_id,)).fetchone()[0] is None)

    # --- agents -------------------------------------------------------------------------------------------------------

    def _agents(self) -> Registry:
        effects, chance = self.effects, self.chance

        @tool
        async def act(run_id: str, mark: str) -> str:
            effects.append((run_id, mark))
            await asyncio.sleep(chance.uniform(0.0, 0.5))
            return mark

        @agent
        async def worker(turn: Turn) -> None:
            words = json.loads(turn.text)
            for number in range(words["steps"]):
                await turn.think(f"step {number}")
                if chance.random() < 0.3:
                    await asyncio.sleep(chance.uniform(0.0, 0.3))
            for number in range(words["tools"]):
                await turn.use(act, turn.run_id, f"{words['mark']}:{number}")
            for piece in range(4):
                await turn.say(f"piece {piece} ")

        @agent
        async def parent(turn: Turn) -> None:
            await turn.think("somebody else can do it")
            await turn.ask(worker, json.loads(turn.text))
            await turn.say("done")

        return Registry([worker, parent])

    # --- who meddles --------------------------------------------------------------------------------------------------

    async def _steal(self) -> None:
        """Give up running runs, as is done with those of a dead worker; this one lives on and does not know."""
        query = "SELECT user_id, id, attempt FROM runs WHERE state = 'running' ORDER BY created_at, id"
        while self.plan.thief:
            await asyncio.sleep(self.chance.uniform(0.0, 0.5))
            try:
                held = await self.store.read(lambda tx: tx.sql(query).fetchall())
                if held and self.chance.random() < self.plan.thief:
                    await self._give_up(*self.chance.choice(held))
            except (QuintetError, Fenced):
                continue

    async def _give_up(self, user_id: str, run_id: str, attempt: int) -> None:
        moment = runs.moment(self.sources)
        lost = runs.Failed("worker_lost")
        await self.store.write(user_id, lambda tx: runs.close(tx, user_id, run_id, attempt, lost, moment))
        self.stolen.append(run_id)

    async def _shut_out(self, user_id: str) -> None:
        """Disable the user: from that commit on nothing reaches any of their devices."""
        if not self.plan.out:
            return
        await asyncio.sleep(self.chance.uniform(0.2, 1.5))

        def disable(tx: Tx) -> int:
            tx.sql("UPDATE users SET disabled_at = 1 WHERE id = ?", (user_id,))
            return tx.revoke(user_id)

        await self._patiently(lambda: self.store.write(user_id, disable))
        self.revoked_at[user_id] = Moment(self.scheduler.now, self.scheduler.steps)

    # --- rest ---------------------------------------------------------------------------------------------------------

    async def _rest(self) -> None:
        """Until no run is open and every device is at the head or shut out."""
        query = "SELECT count(*) FROM runs WHERE state IN ('queued', 'running')"
        until = self.scheduler.now + REST
        while True:
            assert self.scheduler.now < until, f"no rest: {self._restless()}"
            await asyncio.sleep(0.5)
            still = await self.store.read(lambda tx: tx.sql(query).fetchone()[0])
            if not still and not self.worker.running and not self._restless():
                return

    def _restless(self) -> list[str]:
        heads = {user: max((s for u, s in self.store.committed_at if u == user), default=0) for user in self._users()}
        return [
            f"{one.name} is at {one.rule.last} of {heads[one.user_id]}"
            for one in self.devices
            if not one.ended and (one.rule.last < heads[one.user_id] or one.user_id in self.revoked_at)
        ]

    def _users(self) -> list[str]:
        return [author.user_id for author in self.authors]

"""A stage for scripted agents: a real database, a real log, a real worker, users without HTTP."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from quintet import runs
from quintet.engine import AgentSpec, Limits, Registry
from quintet.engine.worker import Worker
from quintet.errors import QuintetError
from quintet.events import DATA, ENDINGS, Event, decode
from quintet.log import Log, create_head
from quintet.runs import NewRun
from quintet.sources import Sources
from quintet.store import Store, Tx, open_store

SHORT = Limits(poll=0.2, grace=0.3, held=0.4, rescue=0.3, ping=0.02, drain=5, late_ending=3, run=20)


@dataclass
class Told:
    """The events of one run, in order."""

    events: list[Event]

    @property
    def kinds(self) -> list[str]:
        """Their types."""
        return [event.type for event in self.events]

    @property
    def ending(self) -> Event:
        """The final one."""
        return self.events[-1]

    @property
    def code(self) -> str:
        """The code or the reason of the ending; its type when it has none."""
        data = self.ending.data
        return str(data.get("error", {}).get("code") or data.get("reason") or self.ending.type)

    def of(self, kind: str, agent: str | None = None) -> list[dict[str, Any]]:
        """The data of one type, of one agent."""
        return [
            event.data
            for event in self.events
            if event.type == kind and (agent is None or (event.agent and event.agent.name == agent))
        ]

    def text(self, agent: str | None = None) -> str:
        """What was said, joined by offset."""
        said = ""
        for piece in self.of("text_delta", agent):
            assert piece["offset"] == len(said)
            said += piece["text"]
        return said


class Stage:
    """Entered, it has a store, a log and a worker with the agents given. Left, it drains and closes all."""

    def __init__(self, folder: Path, agents: Iterable[AgentSpec[Any]], limits: Limits = SHORT, **changed: Any) -> None:
        self._folder = folder
        self.limits = replace(limits, **changed)
        self.registry = Registry(agents)
        self.sources = Sources()
        self._made = 0
        self.drained = False

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self.store: Store = open_store(f"sqlite:///{self._folder / 'quintet.db'}", migrate=True)
        await self.store.start()
        self.log = Log(self.store)
        await self.log.start()
        self.worker = Worker(self.store, self.log, self.registry, sources=self.sources, limits=self.limits)
        await self.worker.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.drained:
            await self.drain(0 if error else None)
        await self.log.close()
        await self.store.close()

    async def drain(self, timeout: float | None = None) -> None:
        """Stop the worker."""
        self.drained = True
        await self.worker.drain(timeout)

    async def user(self, name: str = "") -> str:
        """A new user's id."""
        self._made += 1
        user_id = f"usr_{name or self._made}"

        def register(tx: Tx) -> None:
            tx.sql(
                "INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at)"
                " VALUES (?, ?, ?, 0, '', 'user', 0)",
                (user_id, user_id, user_id),
            )
            create_head(tx, user_id, "e" + self.sources.token_bytes(4).hex())

        await self.store.write(user_id, register)
        return user_id

    async def send(self, user_id: str, agent: str, text: str = "go", thread_id: str | None = None) -> str:
        """Submit a message; returns the id of its run."""
        new = NewRun(
            user_id=user_id,
            run_id=self.sources.new_id("run"),
            thread_id=thread_id or self.sources.new_id("thr"),
            message_id=self.sources.new_id("msg"),
            client_id=self.sources.new_id("cli"),
            agent=agent,
            text=text,
        )
        await self.store.write(
            user_id, partial(_submit, new=new, create=thread_id is None, now=runs.moment(self.sources))
        )
        return new.run_id

    async def cancel(self, user_id: str, run_id: str) -> str:
        """Ask for a run to be stopped."""
        now = runs.moment(self.sources)
        return await self.store.write(user_id, lambda tx: runs.cancel(tx, user_id, run_id, "user", now))

    async def events(self, user_id: str) -> list[Event]:
        """The whole log of a user, decoded."""
        found: list[Event] = []
        while True:
            batch = await self.log.read(user_id, found[-1].seq if found else 0)
            if not batch.rows:
                return found
            found.extend(decode(row.frame) for row in batch.rows)

    async def told(self, user_id: str, run_id: str) -> Told:
        """What is in the log of a run by now."""
        return Told([event for event in await self.events(user_id) if event.run_id == run_id])

    async def until(self, user_id: str, run_id: str, seen: Callable[[Told], Any], within: float = 10) -> Told:
        """The run's events as soon as `seen` says so; fails with all of them after `within` seconds."""
        wake = asyncio.Event()
        follower = self.log.follow(user_id, wake.set)
        until = time.monotonic() + within
        try:
            while not seen(told := await self.told(user_id, run_id)):
                left = until - time.monotonic()
                assert left > 0, f"not within {within} s: {told.kinds} {[e.data for e in told.events][-3:]}"
                try:
                    async with asyncio.timeout(min(left, 1)):
                        await wake.wait()
                except TimeoutError:
                    pass
                wake.clear()
        finally:
            follower.close()
        return told

    async def run(self, agent: str, text: str = "go", within: float = 10) -> Told:
        """One run of a new user, to its end, with every rule of the wire checked."""
        user_id = await self.user()
        return await self.end(user_id, await self.send(user_id, agent, text), within)

    async def end(self, user_id: str, run_id: str, within: float = 10) -> Told:
        """A run's events once it has ended, with every rule of the wire checked."""
        told = await self.until(user_id, run_id, lambda told: told.events and told.ending.final, within)
        check(told)
        return told

    async def rows(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """What the database says."""
        return list(await self.store.read(lambda tx: tx.sql(statement, params).fetchall()))


def _submit(tx: Tx, new: NewRun, create: bool, now: runs.Moment) -> None:
    if create:
        tx.sql(
            "INSERT INTO threads (user_id, id, created_at, updated_at, place) VALUES (?, ?, ?, ?, 0)",
            (new.user_id, new.thread_id, now.now_ms, now.now_ms),
        )
    seq, _ = runs.open_run(tx, new, now)
    tx.sql(
        "INSERT INTO messages (user_id, id, thread_id, run_id, role, text, client_id, created_at, place)"
        " VALUES (?, ?, ?, ?, 'user', ?, ?, ?, ?)",
        (new.user_id, new.message_id, new.thread_id, new.run_id, new.text, new.client_id, now.now_ms, seq),
    )


def full(tx: Tx, spare: int) -> None:
    """Let the database grow by `spare` pages and no more."""
    pages = tx.sql("PRAGMA page_count").fetchone()[0]
    tx.sql(f"PRAGMA max_page_count = {pages + spare}")


async def fill(stage: Stage) -> None:
    """Take the last bytes too: not even an ending fits."""
    await stage.store.write("", partial(full, spare=0))
    for number in range(1000):

        def add(tx: Tx, number: int = number) -> None:
            tx.sql(
                "INSERT INTO events (user_id, seq, type, digest, final, body) VALUES ('filler', ?, 'x', 'x', 0, ?)",
                (number, b"x" * 50),
            )

        try:
            await stage.store.write("", add)
        except QuintetError:
            return
    raise AssertionError("the database never became full")


@dataclass
class _Life:
    parent: str | None
    step: int = 0
    progress: float = 0
    offset: int = 0
    children: set[str] = field(default_factory=set)
    calls: dict[str, str] = field(default_factory=dict)


def check(told: Told) -> None:
    """The rules of the events, on one whole run: numbers, one ending, nesting, pairing, steps, offsets, the trace."""
    events = told.events
    assert [event.run_seq for event in events] == list(range(1, len(events) + 1))
    assert told.kinds[0] == "message_accepted"
    assert [event.final for event in events] == [False] * (len(events) - 1) + [True]
    assert len({event.trace_id for event in events}) == 1
    assert len({event.id for event in events}) == len(events)
    lives: dict[str, _Life] = {}
    for event in events[1:]:
        msgspec.convert(event.data, DATA[event.type])
        assert len(json.dumps(event.data)) <= 6 * 64 * 1024
        assert not isinstance(event.agent, msgspec.UnsetType)
        agent_id = event.agent.id
        if event.type == "agent_started":
            assert agent_id not in lives
            parent = None if isinstance(event.agent.parent_id, msgspec.UnsetType) else event.agent.parent_id
            lives[agent_id] = _Life(parent)
            if parent is not None:
                lives[parent].children.add(agent_id)
            continue
        life = lives[agent_id]
        _check_step(event, life)
        if event.type in ENDINGS:
            assert not life.calls, "a call was open when its agent ended"
            assert not life.children, "a child was open when its parent ended"
            del lives[agent_id]
            if life.parent is not None:
                lives[life.parent].children.remove(agent_id)
            assert event.final == (life.parent is None)
    assert not lives


def _check_step(event: Event, life: _Life) -> None:
    data = event.data
    if event.type == "agent_thinking":
        assert data["step"] == life.step + 1
        assert data.get("progress", life.progress) >= life.progress
        life.step, life.progress = data["step"], data.get("progress", life.progress)
    elif event.type == "text_delta":
        assert data["offset"] == life.offset
        life.offset += len(data["text"])
    elif event.type == "tool_executing":
        assert data["call_id"] not in life.calls
        life.calls[data["call_id"]] = data["tool"]
    elif event.type == "tool_completed":
        assert life.calls.pop(data["call_id"]) == data["tool"]
        assert ("error" in data) == (data["status"] in {"error", "timeout"})

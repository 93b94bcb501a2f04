"""The shortest way to users, runs and events in a real store, without HTTP. Fixtures: `from support.kernel import *` in a conftest."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from quintet import runs
from quintet.errors import QuintetError
from quintet.events import (
    AgentCompleted,
    AgentRef,
    AgentStarted,
    AgentThinking,
    Data,
    Draft,
    Event,
    TextDelta,
    ToolCompleted,
    ToolExecuting,
    decode,
    draft,
)
from quintet.log import Log, Row, create_head
from quintet.runs import Leased
from quintet.sources import Sources
from quintet.store import Store, Tx
from support.databases import DATABASES, Database

__all__ = ["WAIT", "Kernel", "database", "eventually", "kernel", "log", "patiently", "store", "within"]

T = TypeVar("T")

_ASSISTANT = "INSERT INTO agents (worker_id, name, description) VALUES (?, 'assistant', '') ON CONFLICT DO NOTHING"
WAIT = 20.0  # seconds; far beyond what anything here takes


async def within(awaitable: Awaitable[T], seconds: float = WAIT) -> T:
    """The answer of `awaitable`, or a failure after `seconds`."""
    async with asyncio.timeout(seconds):
        return await awaitable


async def eventually(holds: Callable[[], object], seconds: float = WAIT) -> None:
    """Wait until `holds()` is true; fail after `seconds`."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.002)


async def patiently(ask: Callable[[], Awaitable[T]], seconds: float = 60) -> T:
    """The answer, asked for again while the database is away."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await ask()
            except QuintetError:
                await asyncio.sleep(0.05)


class Kernel:
    """A store with its log."""

    def __init__(self, store: Store, log: Log) -> None:
        self.store = store
        self.log = log
        self.sources = Sources()

    def moment(self) -> runs.Moment:
        """The values of now."""
        return runs.moment(self.sources)

    async def user(self) -> str:
        """A new user with an empty log."""
        user_id = self.sources.new_id("usr")

        def register(tx: Tx) -> None:
            add_user(tx, user_id, f"{user_id}@example.org")
            create_head(tx, user_id, self.sources.token_bytes(6).hex())

        await within(self.store.write(user_id, register))
        return user_id

    async def send(self, user_id: str, text: str = "hello", *, thread_id: str | None = None, most: int = 5) -> str:
        """Store a message and open its run, in one transaction; the run's id."""
        new = runs.NewRun(
            user_id,
            self.sources.new_id("run"),
            thread_id or self.sources.new_id("thr"),
            self.sources.new_id("msg"),
            self.sources.new_id("cli"),
            "assistant",
            text,
        )
        await within(self.store.write(user_id, lambda tx: send_in(tx, new, self.moment(), most)))
        return new.run_id

    async def lease(self, limit: int = 100, worker_id: str = "w1") -> list[Leased]:
        """Lease what is ready, as a worker that has the agent `assistant`, and what else it has announced."""
        moment = self.moment()

        def lease_in(tx: Tx) -> list[Leased]:
            tx.sql(_ASSISTANT, (worker_id,))
            return runs.lease(tx, worker_id, limit, moment)

        return await within(self.store.write("", lease_in))

    async def running(self, user_id: str, text: str = "hello") -> Leased:
        """A run of the user that has just been leased."""
        run_id = await self.send(user_id, text)
        return next(run for run in await self.lease() if run.run_id == run_id)

    async def close(self, run: Leased, ending: runs.Ending, **options: Any) -> str:
        """End a run."""
        moment = self.moment()
        return await within(
            self.store.write(
                run.user_id,
                lambda tx: runs.close(tx, run.user_id, run.run_id, run.attempt, ending, moment, **options),
            )
        )

    async def cancel(self, user_id: str, run_id: str, reason: str = "user") -> str:
        """Ask for a run to be stopped."""
        moment = self.moment()
        return await within(self.store.write(user_id, lambda tx: runs.cancel(tx, user_id, run_id, reason, moment)))

    async def append(self, run: Leased, *drafts: Draft) -> None:
        """Append events of a run, as its worker does."""
        await within(self.log.append(run.user_id, run.run_id, run.attempt, drafts))

    async def rows(self, user_id: str, after: int = 0, **bounds: int) -> list[Row]:
        """All rows of a user after a position, read as a feed reads them."""
        rows: list[Row] = []
        while batch := (await within(self.log.read(user_id, after, **bounds))).rows:
            rows.extend(batch)
            after = batch[-1].seq
        return rows

    async def story(self, user_id: str, run_id: str | None = None) -> list[Event]:
        """All events of a user, or of one run."""
        events = [decode(row.frame) for row in await self.rows(user_id)]
        return [event for event in events if run_id in {None, event.run_id}]

    # --- drafts of a worker -------------------------------------------------------------------------------------------

    def event(self, run: Leased, data: Data, agent: AgentRef | None = None, *, final: bool = False) -> Draft:
        """An event of a run, by default of its root."""
        return draft(
            data,
            event_id=self.sources.token_bytes(16).hex(),
            time_ms=self.sources.now_ms(),
            thread_id=run.thread_id,
            run_id=run.run_id,
            trace_id=run.trace_id,
            agent=agent or run.root,
            final=final,
        )

    def thought(self, run: Leased, text: str = "a thought", step: int = 1) -> Draft:
        """A step of the root's account."""
        return self.event(run, AgentThinking(text, step))

    def child(self, run: Leased, name: str, parent: AgentRef | None = None) -> tuple[AgentRef, Draft]:
        """A nested invocation and its beginning."""
        agent = AgentRef(self.sources.new_id("agt"), name, (parent or run.root).id)
        return agent, self.event(run, AgentStarted("asked"), agent)

    def child_done(self, run: Leased, agent: AgentRef) -> Draft:
        """A child's ending."""
        return self.event(run, AgentCompleted(1), agent)

    def call(self, run: Leased, call_id: str, agent: AgentRef | None = None) -> Draft:
        """A tool begins."""
        return self.event(run, ToolExecuting(call_id, "search", {"query": "x"}), agent)

    def call_done(self, run: Leased, call_id: str) -> Draft:
        """A tool ends."""
        return self.event(run, ToolCompleted(call_id, "search", "ok", 1, result="found"))

    def piece(self, run: Leased, message_id: str, offset: int, text: str, agent: AgentRef | None = None) -> Draft:
        """A piece of what is said."""
        return self.event(run, TextDelta(message_id, offset, text), agent)


def add_user(tx: Tx, user_id: str, email: str) -> None:
    """An account's row."""
    tx.sql(
        "INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at)"
        " VALUES (?, ?, ?, false, 'x', 'user', 0)",
        (user_id, email, email),
    )


def send_in(tx: Tx, new: runs.NewRun, moment: runs.Moment, most: int = 5) -> tuple[int, str]:
    """What `send` stores: thread, message, run and `message_accepted`."""
    tx.sql(
        "INSERT INTO threads (user_id, id, created_at, updated_at, place) VALUES (?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
        (new.user_id, new.thread_id, moment.now_ms, moment.now_ms),
    )
    tx.sql(
        "INSERT INTO messages (user_id, id, thread_id, run_id, role, text, client_id, created_at, place)"
        " VALUES (?, ?, ?, ?, 'user', ?, ?, ?, 0)",
        (new.user_id, new.message_id, new.thread_id, new.run_id, new.text, new.client_id, moment.now_ms),
    )
    return runs.open_run(tx, new, moment, most_running=most)


@pytest.fixture(params=sorted(DATABASES))
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty, migrated database of each kind."""
    return DATABASES[request.param](tmp_path)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """A started store."""
    opened = database.open()
    await within(opened.start())
    yield opened
    await within(opened.close())


@pytest.fixture
async def log(store: Store) -> AsyncIterator[Log]:
    """Its log, followed from the test's own loop."""
    made = Log(store)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def kernel(store: Store, log: Log) -> Kernel:
    """Both, with the shortest way to users, runs and events."""
    return Kernel(store, log)

"""The primary is lost and a standby takes over: one that lagged behind begins new epochs, one that has everything keeps the cursors."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import TypeVar

import pytest

from quintet import runs
from quintet.engine.reaper import Reaper
from quintet.log import Fenced, Log, Position, Resync
from quintet.store import open_store, schema
from support.kernel import Kernel, eventually, patiently, within
from support.postgres import PostgresDatabase
from support.standby import Pair, PairDatabase, pair

T = TypeVar("T")

pytestmark = [pytest.mark.l2, pytest.mark.hang_guard(120)]


@pytest.fixture
async def both() -> AsyncIterator[Pair]:
    """A primary and a streaming standby of the test's own."""
    made = await pair()
    yield made
    await asyncio.to_thread(made.end)


async def opened(both: Pair, *, keep: bool = False) -> Kernel:
    """A started store on both, with its log."""
    return await opened_alone(await asyncio.to_thread(PairDatabase, both), keep=keep)


async def opened_alone(database: PostgresDatabase, *, keep: bool = False) -> Kernel:
    """A started store on one database, with its log."""
    store = open_store(database.url, keep=keep)
    await within(store.start())
    log = Log(store, poll_seconds=30)
    await log.start()
    return Kernel(store, log)


async def closed(kernel: Kernel) -> None:
    """End both."""
    await kernel.log.close()
    await within(kernel.store.close())


async def test_a_lagging_standby_begins_new_epochs(both: Pair) -> None:
    """It lacks the last events and gives their numbers again: whoever follows is let go, cursors get `resync`, and what is then read
    has no hole."""
    kernel = await opened(both)
    user = await kernel.user()
    await kernel.running(user)
    early = (await kernel.log.head(user))[1]
    await asyncio.to_thread(both.leave_behind)
    await kernel.send(user, "lost")
    late = (await kernel.log.head(user))[1]
    follower = kernel.log.follow(user, lambda: None)
    await asyncio.to_thread(both.lose_primary)
    await patiently(partial(kernel.log.head, user))
    await eventually(lambda: follower.over)
    follower.close()
    for cursor in (early, late):
        told = await within(kernel.log.resolve(user, cursor))
        assert isinstance(told, Resync)
        assert told.reason == "epoch"
    assert isinstance(await within(kernel.log.resolve(user, "0")), Position)
    await kernel.send(user, "after")
    events = await kernel.story(user)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.data["text"] for event in events if event.type == "message_accepted"] == ["hello", "after"]
    await closed(kernel)


async def test_what_was_open_at_a_lagging_failover_runs_nowhere_and_ends_once(both: Pair) -> None:
    """A run that the standby knows as queued was begun among the commits it lacks, another is running in both: neither attempt writes
    to the new primary, nothing is leased again, and each ends once as `worker_lost`, though their worker lives."""
    kernel = await opened(both)
    user = await kernel.user()
    await kernel.store.write("wrk_1", lambda tx: runs.announce(tx, "wrk_1", {"assistant": ""}))
    first = await kernel.running(user)
    second = await kernel.send(user)
    await asyncio.to_thread(both.leave_behind)
    begun = (await kernel.lease(worker_id="wrk_1"))[0]
    assert begun.run_id == second
    await kernel.append(begun, kernel.call(begun, "c1"))
    await asyncio.to_thread(both.lose_primary)
    await patiently(partial(kernel.log.head, user))
    assert await kernel.lease(worker_id="wrk_1") == []
    for run in (first, begun):
        with pytest.raises(Fenced):
            await kernel.append(run, kernel.thought(run, "of another time"))
    reaper = Reaper(kernel.store, kernel.sources, life=60, most_running=5)
    await within(reaper.look())
    for run_id in (first.run_id, second):
        story = await kernel.story(user, run_id)
        assert [event.type for event in story if event.final] == ["agent_failed"]
        assert story[-1].data["error"]["code"] == "worker_lost"
    assert await kernel.lease(worker_id="wrk_1") == []
    await closed(kernel)


async def test_a_standby_that_has_everything_keeps_the_cursors(both: Pair) -> None:
    """Synchronous replication and QUINTET_FAILOVER_KEEPS_EPOCHS: all that was answered is there, cursors are good, the run goes on under
    its attempt, and nobody is let go."""
    kernel = await opened(both, keep=True)
    run = await kernel.running(await kernel.user())
    await asyncio.to_thread(both.synchronous)
    for number in range(5):
        await kernel.append(run, kernel.thought(run, f"{number}"))
    cursor = (await kernel.log.head(run.user_id))[1]
    follower = kernel.log.follow(run.user_id, lambda: None)
    await asyncio.to_thread(both.lose_primary)
    await patiently(lambda: kernel.append(run, kernel.thought(run, "after")))
    found = await within(kernel.log.resolve(run.user_id, cursor))
    assert isinstance(found, Position)
    texts = [event.data.get("text") for event in await kernel.story(run.user_id)][2:]
    assert texts == [*map(str, range(5)), "after"]
    assert not follower.over
    follower.close()
    await closed(kernel)


async def test_what_the_standby_does_not_have_yet_is_told_to_nobody(both: Pair) -> None:
    """With synchronous replication and the standby away an append is neither answered nor seen; when the standby is back it is stored, once."""
    kernel = await opened(both, keep=True)
    run = await kernel.running(await kernel.user())
    told: list[object] = []
    await asyncio.to_thread(both.synchronous)
    await asyncio.to_thread(both.leave_behind)
    kernel.store.on_commit(told.extend)
    asked = asyncio.create_task(kernel.log.append(run.user_id, run.run_id, run.attempt, [kernel.thought(run, "waits")]))
    blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    await eventually(lambda: both.ask(both.primary, blocked))
    assert not asked.done()
    assert told == []
    assert [event.type for event in await kernel.story(run.user_id)] == ["message_accepted", "agent_started"]
    await asyncio.to_thread(both.catch_up)
    await within(asked, 30)
    assert [event.data.get("text") for event in await kernel.story(run.user_id)][2:] == ["waits"]
    await closed(kernel)


async def test_a_loss_is_one_loss_whatever_the_clocks_say() -> None:
    """The cluster before was written down by a process whose clock goes ahead: the epochs begin anew once, not again with every process that
    starts after it."""
    database = PostgresDatabase()
    kernel = await opened_alone(database)
    user = await kernel.user()
    before = (await kernel.log.head(user))[1]
    await closed(kernel)
    database.change("UPDATE lineages SET system = 'another', since = since + 3600000")
    cursors = []
    for _ in range(2):
        kernel = await opened_alone(database)
        cursors.append((await kernel.log.head(user))[1])
        await closed(kernel)
    assert cursors[0] != before, "nobody has noticed the loss"
    assert cursors[1] == cursors[0], "the same loss was met twice"


def test_whoever_only_looks_adopts_nothing() -> None:
    """To ask for the revision, as every start does, begins no epoch: only who knows whether a failover lost something judges it."""
    database = PostgresDatabase()
    database.change(
        "INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at)"
        " VALUES ('u', 'e', 'e', false, 'h', 'user', 1)"
    )
    database.change("INSERT INTO heads (user_id, epoch) VALUES ('u', 'before')")
    database.change("DELETE FROM lineages")
    database.change("INSERT INTO lineages (system, timeline, since) VALUES ('another', 1, 1)")
    schema.check(database.url)
    assert database.rows("SELECT epoch FROM heads") == [("before",)]

"""Transactions as plain functions: what a store of any database promises."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, select

import quintet.store.inbox as inbox_module
from quintet.errors import QuintetError
from quintet.store import Revision, Store, Tx
from quintet.store.tables import agents
from support.databases import Database
from support.kernel import WAIT, Kernel, eventually, within

pytestmark = pytest.mark.l2


def note(name: str) -> Callable[[Tx], str]:
    """A transaction function that stores one row."""

    def store_it(tx: Tx) -> str:
        tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', ?, '')", (name,))
        return name

    return store_it


def noted(tx: Tx) -> list[str]:
    """What `note` has stored."""
    return [row[0] for row in tx.sql("SELECT name FROM agents ORDER BY name").fetchall()]


class Blocked:
    """The committer, held inside a transaction until released; what is queued meanwhile becomes one batch."""

    def __init__(self, store: Store) -> None:
        self.entered, self.release = threading.Event(), threading.Event()
        self.done = store.submit("u", self._hold)

    def _hold(self, tx: Tx) -> None:
        self.entered.set()
        assert self.release.wait(WAIT)


@contextmanager
def one_batch(store: Store) -> Iterator[None]:
    """Everything queued inside goes into one commit."""
    blocked = Blocked(store)
    assert blocked.entered.wait(WAIT)
    try:
        yield
    finally:
        blocked.release.set()


def settled(futures: list[Future[Any]]) -> list[Any]:
    """What each future brought: its result or its exception."""
    return [future.exception(WAIT) or future.result() for future in futures]


async def refusal(work: Awaitable[Any]) -> str:
    """The code that `work` is refused with."""
    with pytest.raises(QuintetError) as refused:
        await within(work)
    return refused.value.code


async def test_a_write_is_durable_when_it_returns(store: Store, database: Database) -> None:
    """What was answered is committed: another connection sees it at once, and the answer is the function's."""
    assert await within(store.write("u", note("a"))) == "a"
    assert database.rows("SELECT name FROM agents") == [("a",)]


async def test_a_function_that_raises_takes_back_only_itself(store: Store) -> None:
    """Functions commit together, but one that raises leaves nothing, and its neighbours' rows stay."""

    def half(tx: Tx) -> None:
        note("half")(tx)
        raise QuintetError("conflict")

    with one_batch(store):
        futures = [store.submit("u", fn) for fn in (note("a"), half, note("b"))]
    answers = settled(futures)
    assert [answers[0], answers[2]] == ["a", "b"]
    assert isinstance(answers[1], QuintetError)
    assert answers[1].code == "conflict"
    assert await within(store.read(noted)) == ["a", "b"]


async def test_what_a_failed_function_published_or_woke_is_not_told(store: Store) -> None:
    """Facts and wake-ups leave with a commit and only then: those of a function that raised never do."""
    told: list[Any] = []
    woken: list[str] = []
    store.on_commit(told.extend)
    for topic in ("good", "bad"):
        store.wakes.listen(topic, partial(woken.append, topic))

    def tell(name: str, tx: Tx) -> None:
        tx.publish(name)
        tx.wake(name)
        if name == "bad":
            raise ValueError

    with one_batch(store):
        futures = [store.submit("u", partial(tell, name)) for name in ("good", "bad")]
    settled(futures)
    assert told == ["good"]
    assert woken == ["good"]


async def test_facts_are_told_after_the_commit_and_before_the_answer(store: Store, database: Database) -> None:
    """Whoever is told of a fact can already read it from any connection, and the writer's answer comes after the telling."""
    seen: list[int] = []
    store.on_commit(lambda facts: seen.extend(database.rows("SELECT count(*) FROM agents")[0][0] for _ in facts))

    def write(tx: Tx) -> None:
        note("a")(tx)
        tx.publish("fact")

    await within(store.write("u", write))
    assert seen == [1]


async def test_a_listener_that_fails_harms_nobody(store: Store) -> None:
    """A listener's or waker's exception is logged; the write is answered and the committer goes on."""

    def fail(*_: Any) -> None:
        raise RuntimeError("broken listener")

    store.on_commit(fail)
    store.wakes.listen("t", fail)

    def write(tx: Tx) -> str:
        tx.publish("fact")
        tx.wake("t")
        return note("a")(tx)

    assert await within(store.write("u", write)) == "a"
    assert await within(store.write("u", note("b"))) == "b"


@pytest.mark.parametrize("error", [StopIteration, SystemExit, GeneratorExit, asyncio.CancelledError, MemoryError])
async def test_whatever_a_function_raises_the_others_are_answered(store: Store, error: type[BaseException]) -> None:
    """Not even what is no Exception, or what no future can carry, ends an owner thread or leaves a neighbour waiting."""

    def hostile(tx: Tx) -> None:
        raise error

    with one_batch(store):
        tasks = [asyncio.create_task(store.write("u", fn)) for fn in (hostile, note("a"))]
        await asyncio.sleep(0)
        futures = [store.submit("u", fn) for fn in (hostile, note("b"))]
    outcomes = await within(asyncio.gather(*tasks, return_exceptions=True))
    assert isinstance(outcomes[0], Exception)
    assert outcomes[1] == "a"
    assert futures[1].result(WAIT) == "b"
    reads = await within(
        asyncio.gather(store.read(hostile), *(store.read(noted) for _ in range(8)), return_exceptions=True)
    )
    assert isinstance(reads[0], Exception)
    assert reads[1:] == [["a", "b"]] * 8


async def test_a_caller_that_goes_away_does_not_reach_the_transaction(store: Store) -> None:
    """A request's cancellation never hits a transaction midway: it commits, and the next one is answered."""
    with one_batch(store):
        task = asyncio.create_task(store.write("u", note("a")))
        await asyncio.sleep(0)
        task.cancel()
        future = store.submit("u", note("b"))
        future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await within(store.write("u", note("c"))) == "c"
    assert await within(store.read(noted)) == ["a", "b", "c"]


async def test_core_and_driver_share_one_transaction(store: Store) -> None:
    """What is written through SQLAlchemy is seen by driver-level SQL of the same transaction, and goes with it."""

    def write(tx: Tx) -> list[str]:
        tx.core.execute(insert(agents).values(worker_id="w", name="core", description=""))
        note("driver")(tx)
        assert noted(tx) == ["core", "driver"]
        return [row.name for row in tx.core.execute(select(agents.c.name).order_by(agents.c.name))]

    assert await within(store.write("u", write)) == ["core", "driver"]

    def fail(tx: Tx) -> None:
        tx.core.execute(insert(agents).values(worker_id="w", name="gone", description=""))
        raise QuintetError("conflict")

    assert await refusal(store.write("u", fail)) == "conflict"
    assert await within(store.read(noted)) == ["core", "driver"]


async def test_a_constraint_is_the_callers_to_see(store: Store) -> None:
    """A broken constraint reaches the caller as the driver's error, through SQLAlchemy and through the driver, and breaks nothing."""
    await within(store.write("u", note("a")))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await within(store.write("u", note("a")))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await within(
            store.write(
                "u", lambda tx: tx.core.execute(insert(agents).values(worker_id="w", name="a", description="")).rowcount
            )
        )
    assert await within(store.write("u", note("b"))) == "b"


async def test_foreign_keys_are_enforced(store: Store) -> None:
    """A row of a user who does not exist cannot be stored."""
    with pytest.raises(Exception, match=r"(?i)foreign"):
        await within(store.write("u", lambda tx: tx.sql("INSERT INTO heads (user_id, epoch) VALUES ('nobody', 'e')")))


async def test_a_read_sees_one_state(store: Store) -> None:
    """Two statements of one read see the same state, whatever is committed between them."""
    first, go = threading.Event(), threading.Event()

    def twice(tx: Tx) -> tuple[list[str], list[str]]:
        before = noted(tx)
        first.set()
        assert go.wait(WAIT)
        return before, noted(tx)

    await within(store.write("u", note("a")))
    reading = store.submit_read(twice)
    await asyncio.to_thread(first.wait, WAIT)
    await within(store.write("u", note("b")))
    go.set()
    assert reading.result(WAIT) == (["a"], ["a"])
    assert await within(store.read(noted)) == ["a", "b"]


async def test_a_read_after_a_write_sees_it(store: Store) -> None:
    """Whoever got a write's answer finds it in the next read, on any reader."""
    for number in range(30):
        await within(store.write("u", note(f"{number:02}")))
        assert len(await within(store.read(noted))) == number + 1


async def test_a_read_cannot_write(store: Store, database: Database) -> None:
    """A read that writes is refused and stores nothing."""
    with pytest.raises(QuintetError):
        await within(store.read(note("a")))
    assert database.rows("SELECT name FROM agents") == []


async def test_writes_of_one_key_keep_their_order(store: Store) -> None:
    """What one caller queued first is committed first."""
    order: list[int] = []

    def append(number: int, tx: Tx) -> None:
        order.append(number)

    futures = [store.submit("u", partial(append, number)) for number in range(200)]
    settled(futures)
    assert order == list(range(200))


async def test_many_writers_share_commits(store: Store, database: Database) -> None:
    """What queues during a commit is committed together; every writer of every thread and loop is answered with its own result."""
    commits: list[int] = []
    store.on_commit(lambda facts: commits.append(len(facts)))

    def write(name: str, tx: Tx) -> str:
        tx.publish(name)
        return note(name)(tx)

    def from_a_loop(number: int) -> list[str]:
        async def all_at_once() -> list[str]:
            return await asyncio.gather(*(store.write("u", partial(write, f"loop-{number}-{n}")) for n in range(20)))

        return asyncio.run(all_at_once())

    def from_a_thread(number: int) -> list[str]:
        futures = [store.submit("u", partial(write, f"thread-{number}-{n}")) for n in range(20)]
        return [future.result(WAIT) for future in futures]

    with ThreadPoolExecutor(16) as pool:
        loops = [pool.submit(from_a_loop, number) for number in range(8)]
        threads = [pool.submit(from_a_thread, number) for number in range(8)]
        loop = asyncio.get_running_loop()
        answers = [await loop.run_in_executor(None, future.result, WAIT) for future in (*loops, *threads)]
    assert answers[3] == [f"loop-3-{n}" for n in range(20)]
    assert answers[11] == [f"thread-3-{n}" for n in range(20)]
    assert database.rows("SELECT count(*) FROM agents") == [(320,)]
    assert sum(commits) == 320
    assert len(commits) < 320, "no commit was shared"


async def test_a_full_queue_is_busy_and_empties_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue of writes is bounded: beyond it a writer is told `busy` with a time to wait, and nothing of those inside is lost."""
    monkeypatch.setattr(inbox_module, "MAX_QUEUED", 50)
    with one_batch(store):
        futures = [store.submit("u", note(f"{number}")) for number in range(50)]
        with pytest.raises(QuintetError) as refused:
            store.submit("u", note("too many"))
        assert await refusal(store.write("u", note("too many"))) == "busy"
        assert await refusal(store.gather("u", lambda tx, many: [None for _ in many], 1)) == "busy"
    assert (refused.value.code, refused.value.retry_after) == ("busy", 1)
    assert len(settled(futures)) == 50
    assert await within(store.write("u", note("after"))) == "after"
    assert len(await within(store.read(noted))) == 51


async def test_a_full_queue_of_reads_is_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue of reads is bounded in the same way."""
    monkeypatch.setattr(inbox_module, "MAX_QUEUED", 50)
    go = threading.Event()
    entered = [threading.Event() for _ in range(3)]

    def hold(mine: threading.Event, tx: Tx) -> None:
        mine.set()
        assert go.wait(WAIT)

    futures: list[Future[Any]] = [store.submit_read(partial(hold, mine)) for mine in entered]
    for mine in entered:
        assert mine.wait(WAIT)
    futures += [store.submit_read(noted) for _ in range(50)]
    assert await refusal(store.read(noted)) == "busy"
    go.set()
    assert len(settled(futures)) == 53


async def test_a_gathering_function_is_called_once_for_what_queued_together(store: Store) -> None:
    """Payloads for one gathering function that stand next to each other go through one call, and each gets its own answer."""
    calls: list[list[int]] = []

    def odd_only(tx: Tx, numbers: Any) -> list[BaseException | None]:
        calls.append(list(numbers))
        return [None if number % 2 else ValueError(number) for number in numbers]

    with one_batch(store):
        futures = [store.submit_gather("u", odd_only, number) for number in range(1, 7)]
    answers = [future.exception(WAIT) for future in futures]
    assert calls == [[1, 2, 3, 4, 5, 6]]
    assert [answer is None for answer in answers] == [True, False] * 3


async def test_functions_that_gather_get_their_own_payloads_alone(store: Store) -> None:
    """In one commit, beside one another and beside plain functions: each gathers what is its own, in the order it was given."""
    calls: list[tuple[str, list[int]]] = []

    def gathering(name: str) -> Callable[[Tx, Any], list[None]]:
        def gather(_tx: Tx, numbers: Any) -> list[None]:
            calls.append((name, list(numbers)))
            return [None for _ in numbers]

        return gather

    one, other = gathering("one"), gathering("other")
    with one_batch(store):
        futures: list[Future[Any]] = [store.submit_gather("u", one, number) for number in (1, 2)]
        futures += [store.submit_gather("u", other, number) for number in (3, 4)]
        futures.append(store.submit("u", lambda tx: calls.append(("plain", []))))
        futures += [store.submit_gather("u", other, 5), store.submit_gather("u", one, 6)]
    assert settled(futures) == [None] * 7
    assert calls == [("one", [1, 2]), ("other", [3, 4]), ("plain", []), ("other", [5]), ("one", [6])]


def _without_sense(tx: Tx) -> None:
    tx.sql("SELECT no_such_column FROM agents")


def _may_not_grow(_tx: Tx) -> None:
    raise QuintetError("storage_full")


@pytest.mark.parametrize("failing", [_without_sense, _may_not_grow])
async def test_a_refusal_of_one_function_costs_its_neighbours_nothing(
    store: Store, failing: Callable[[Tx], None]
) -> None:
    """What the database does not take, and what may not grow while room is kept, takes back its own function alone: the others are
    stored, and were called once."""
    calls: list[str] = []

    def counted(name: str) -> Callable[[Tx], str]:
        def store_it(tx: Tx) -> str:
            calls.append(name)
            return note(name)(tx)

        return store_it

    with one_batch(store):
        futures = [store.submit("u", fn) for fn in (counted("a"), failing, counted("b"))]
    answers = settled(futures)
    assert [answers[0], answers[2]] == ["a", "b"]
    assert isinstance(answers[1], Exception)
    assert calls == ["a", "b"]


async def test_a_batch_lost_whole_is_run_again_one_by_one(store: Store, database: Database) -> None:
    """A full disk takes the whole transaction back. Each function is then tried alone: the one too large gets `storage_full`, the
    others are stored, and nothing is told twice."""
    told: list[Any] = []
    store.on_commit(told.extend)
    await within(store.write("u", database.fill))

    def small(tx: Tx, name: str) -> str:
        tx.publish(name)
        return note(name)(tx)

    def large(tx: Tx) -> None:
        tx.publish("large")
        tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', 'large', ?)", ("x" * 3_000_000,))

    with one_batch(store):
        futures = [store.submit("u", fn) for fn in (lambda tx: small(tx, "a"), large, lambda tx: small(tx, "b"))]
    answers = settled(futures)
    assert [answers[0], answers[2]] == ["a", "b"]
    assert isinstance(answers[1], QuintetError)
    assert (answers[1].code, answers[1].retry_after) == ("storage_full", 10)
    assert told == ["a", "b"]
    assert await within(store.read(noted)) == ["a", "b"]
    await within(store.write("u", database.empty))
    await within(store.write("u", large))
    assert await within(store.read(noted)) == ["a", "b", "large"]
    database.check()


async def test_an_answer_is_of_the_run_that_was_committed(store: Store, database: Database) -> None:
    """A function that failed in a batch which was lost, and succeeded when it was tried alone, has succeeded: its caller is not told
    the refusal of what never happened."""
    await within(store.write("u", database.fill))
    tries: list[int] = []

    def better_alone(tx: Tx) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not now")
        return note("alone")(tx)

    def large(tx: Tx) -> None:
        tx.sql("INSERT INTO agents (worker_id, name, description) VALUES ('w', 'large', ?)", ("x" * 3_000_000,))

    with one_batch(store):
        futures = [store.submit("u", fn) for fn in (better_alone, large)]
    assert settled(futures)[0] == "alone"
    assert len(tries) == 2, "the batch was not lost, so this proves nothing"
    assert await within(store.read(noted)) == ["alone"]


async def test_a_gathering_call_that_raises_is_tried_again_one_by_one(store: Store) -> None:
    """A payload that breaks its gathering function is refused alone; those gathered with it are stored."""

    def store_all(tx: Tx, names: Any) -> list[BaseException | None]:
        for name in names:
            note(name)(tx)
        return [None for _ in names]

    await within(store.write("u", note("taken")))
    with one_batch(store):
        futures = [store.submit_gather("u", store_all, name) for name in ("a", "taken", "b")]
    assert [future.exception(WAIT) is None for future in futures] == [True, False, True]
    assert await within(store.read(noted)) == ["a", "b", "taken"]


async def test_closing_commits_what_is_queued_and_refuses_the_rest(database: Database) -> None:
    """What was queued before the end is committed and answered; what comes after it is `unavailable`, and nobody waits for ever."""
    store = database.open()
    await within(store.start())
    blocked = Blocked(store)
    futures = [store.submit("u", note(f"{number}")) for number in range(20)]
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0.05)
    blocked.release.set()
    await within(closing)
    assert settled(futures) == [f"{number}" for number in range(20)]
    assert await refusal(store.write("u", note("late"))) == "unavailable"
    assert await refusal(store.read(noted)) == "unavailable"
    assert database.rows("SELECT count(*) FROM agents") == [(20,)]


async def test_closing_under_fire_leaves_nobody_waiting(database: Database) -> None:
    """Threads that write while the store closes are all answered: stored or `unavailable`, and what was answered as stored is there."""
    store = database.open()
    await within(store.start())
    stored: list[str] = []
    refused: list[str] = []

    def fire(thread: int) -> None:
        for number in range(10_000):
            try:
                stored.append(store.submit("u", note(f"{thread}-{number}")).result(WAIT))
            except QuintetError as error:
                refused.append(error.code)
                return

    threads = [threading.Thread(target=fire, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    await eventually(lambda: len(stored) > 40)
    await within(store.close())
    for thread in threads:
        await asyncio.to_thread(thread.join, WAIT)
    assert refused == ["unavailable"] * 8
    assert {row[0] for row in database.rows("SELECT name FROM agents")} == set(stored)


async def test_a_store_that_was_never_started_can_be_closed(database: Database) -> None:
    """Closing gives the lock back even when nothing was started, so the next server can."""
    await within(database.open().close())
    store = database.open()
    await within(store.start())
    await within(store.close())


async def test_a_revocation_is_raised_and_told_with_its_commit(store: Store, kernel: Kernel) -> None:
    """`revoke` raises the user's revision by one, alone, and tells it after the commit; for nobody it is 0 and silent."""
    told: list[Any] = []
    user, other = await kernel.user(), await kernel.user()
    store.on_commit(told.extend)
    assert await within(store.write(user, lambda tx: tx.revoke(user))) == 1
    assert await within(store.write(user, lambda tx: tx.revoke(user))) == 2
    assert await within(store.write("x", lambda tx: tx.revoke("nobody"))) == 0
    assert told == [Revision(user, 1), Revision(user, 2)]
    assert (await within(kernel.log.read(other, 0))).auth_rev == 0
    assert (await within(kernel.log.read(user, 0))).auth_rev == 2


async def test_a_wake_up_reaches_its_topic_until_it_is_stopped(store: Store) -> None:
    """A topic's listeners are called after the commit; one that has stopped is not called again, also when it stops twice."""
    heard: list[str] = []
    stop_first = store.wakes.listen("work", lambda: heard.append("first"))
    store.wakes.listen("work", lambda: heard.append("second"))
    await within(store.write("u", lambda tx: tx.wake("work")))
    stop_first()
    stop_first()
    await within(store.write("u", lambda tx: tx.wake("work")))
    await within(store.write("u", lambda tx: tx.wake("other")))
    assert sorted(heard) == ["first", "second", "second"]

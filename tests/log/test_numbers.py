"""Appending: numbers without a hole, in commit order, behind a fence."""

import asyncio
import random
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from quintet.errors import QuintetError
from quintet.events import AgentFailed, Draft, EventError, decode
from quintet.log import Fenced, Stopped, append_in, create_head, head_in
from quintet.log.numbers import Appended
from quintet.runs import Completed, Leased
from quintet.store import Store, Tx
from support.databases import Database
from support.kernel import WAIT, Kernel, eventually, within

pytestmark = pytest.mark.l2


def check_dense(database: Database, users: list[str]) -> None:
    """No hole, no repeat in seq and run_seq; heads and runs say the last number given."""
    for user_id in users:
        rows = database.rows(
            "SELECT seq, run_id, run_seq, digest FROM events WHERE user_id = ? ORDER BY seq", (user_id,)
        )
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        head = database.rows("SELECT seq, digest FROM heads WHERE user_id = ?", (user_id,))
        assert head == [(len(rows), rows[-1][3] if rows else "0")]
        for run_id, run_seq in database.rows("SELECT id, run_seq FROM runs WHERE user_id = ?", (user_id,)):
            assert [row[2] for row in rows if row[1] == run_id] == list(range(1, run_seq + 1))


async def test_order_of_seq_is_order_of_commit_under_fifty_writers(
    kernel: Kernel, store: Store, database: Database
) -> None:
    """Fifty writers in threads and loops, on four users: facts leave in the order of seq without a hole, a reader beside them that
    sees n has seen all before it, each writer's events lie in its own order and together, and nothing is lost."""
    told: list[Any] = []
    store.on_commit(told.extend)
    users = [await kernel.user() for _ in range(4)]
    held = [await kernel.running(user) for user in users for _ in range(3)]
    appends = 6

    def drafts_of(writer: int, append: int) -> list[Draft]:
        return [kernel.thought(held[writer % len(held)], f"{writer}-{append}-{part}") for part in range(1 + append % 3)]

    async def loop_writer(writer: int) -> None:
        run = held[writer % len(held)]
        for append in range(appends):
            await kernel.log.append(run.user_id, run.run_id, run.attempt, drafts_of(writer, append))

    def thread_writer(writer: int) -> None:
        run = held[writer % len(held)]
        futures = [
            kernel.log.append_nowait(run.user_id, run.run_id, run.attempt, drafts_of(writer, append))
            for append in range(appends)
        ]
        for future in futures:
            future.result(WAIT)

    def loop_of(writers: range) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*(loop_writer(writer) for writer in writers))

        asyncio.run(all_of_them())

    done = threading.Event()
    looks: list[Future[int]] = []

    def look(tx: Tx) -> int:
        for user_id in users:
            seqs = [
                row[0] for row in tx.sql("SELECT seq FROM events WHERE user_id = ? ORDER BY seq", (user_id,)).fetchall()
            ]
            assert seqs == list(range(1, head_in(tx, user_id).seq + 1))
        return len(looks)

    def reader() -> None:
        while not done.is_set():
            looks.append(store.submit_read(look))
            looks[-1].exception(WAIT)

    watching = threading.Thread(target=reader)
    watching.start()
    with ThreadPoolExecutor(30) as pool:
        jobs = [pool.submit(loop_of, range(5 * number, 5 * number + 5)) for number in range(5)]
        jobs += [pool.submit(thread_writer, writer) for writer in range(25, 50)]
        for job in jobs:
            await asyncio.wrap_future(job)
    done.set()
    await asyncio.to_thread(watching.join, WAIT)
    assert len(looks) > 3
    assert [look.exception() for look in looks] == [None] * len(looks)
    check_dense(database, users)
    for user_id in users:
        mine = [fact for fact in told if isinstance(fact, Appended) and fact.user_id == user_id]
        seqs = [fact.after + place for fact in mine for place in range(1, len(fact.drafts) + 1)]
        assert seqs == list(range(1, len(seqs) + 1))
    _check_writers(
        [event.data["text"] for user in users for event in await kernel.story(user) if "step" in event.data], appends
    )


def _check_writers(texts: list[str], appends: int) -> None:
    of_writer: dict[str, list[str]] = {}
    for text in texts:
        of_writer.setdefault(text.partition("-")[0], []).append(text)
    expected = [f"{append}-{part}" for append in range(appends) for part in range(1 + append % 3)]
    assert len(of_writer) == 50
    for writer, mine in of_writer.items():
        assert mine == [f"{writer}-{rest}" for rest in expected]
    for at, text in enumerate(texts):
        if not text.endswith("-0"):
            assert texts[at - 1].rpartition("-")[0] == text.rpartition("-")[0], (
                "another append came between the events of one"
            )


async def test_all_drafts_of_an_append_are_stored_in_order(kernel: Kernel) -> None:
    """One call is one commit: its events follow one another, with the numbers of the run."""
    run = await kernel.running(await kernel.user())
    await kernel.append(run, *(kernel.thought(run, f"{number}", number) for number in range(1, 6)))
    story = await kernel.story(run.user_id)
    assert [event.data.get("step") for event in story] == [None, None, 1, 2, 3, 4, 5]
    assert [(event.seq, event.run_seq) for event in story] == [(number, number) for number in range(1, 8)]


async def test_an_append_of_nothing_changes_nothing(kernel: Kernel, database: Database) -> None:
    """An empty append is no event and moves no number."""
    run = await kernel.running(await kernel.user())
    await kernel.append(run)
    assert len(await kernel.story(run.user_id)) == 2
    check_dense(database, [run.user_id])


async def _ended(kernel: Kernel, run: Leased) -> Leased:
    await kernel.close(run, Completed("m", "done"))
    return run


@pytest.mark.parametrize(
    "why", ["older attempt", "newer attempt", "ended", "unknown run", "another user's run", "unknown user"]
)
async def test_the_fence_refuses_all_of_an_append_and_nothing_else(
    kernel: Kernel, store: Store, database: Database, why: str
) -> None:
    """An append of another attempt, of an ended or unknown run, stores none of its events; appends to other runs in the same commit
    are stored, whole and without a hole."""
    user, other = await kernel.user(), await kernel.user()
    run, good, foreign = await kernel.running(user), await kernel.running(user), await kernel.running(other)
    bad = {
        "older attempt": run._replace(attempt=0),
        "newer attempt": run._replace(attempt=2),
        "ended": run,
        "unknown run": run._replace(run_id="run_nowhere"),
        "another user's run": foreign._replace(user_id=user),
        "unknown user": run._replace(user_id="usr_nobody"),
    }[why]
    if why == "ended":
        await _ended(kernel, run)
    entered, release = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        entered.set()
        assert release.wait(WAIT)

    store.submit("", hold)
    assert entered.wait(WAIT)
    futures = [
        kernel.log.append_nowait(
            one.user_id, one.run_id, one.attempt, [kernel.thought(one, f"x{part}") for part in range(3)]
        )
        for one in (good, bad, foreign, bad, good)
    ]
    release.set()
    refusals = [future.exception(WAIT) for future in futures]
    assert [type(refusal) for refusal in refusals] == [type(None), Fenced, type(None), Fenced, type(None)]
    check_dense(database, [user, other])
    thoughts = {
        run_id: [e for e in await kernel.story(good.user_id, run_id) if "step" in e.data]
        for run_id in (good.run_id, run.run_id)
    }
    assert {run_id: len(events) for run_id, events in thoughts.items()} == {good.run_id: 6, run.run_id: 0}
    assert len([e for e in await kernel.story(other) if "step" in e.data]) == 3


async def test_a_queued_run_cannot_be_appended_to(kernel: Kernel) -> None:
    """Nobody owns a run before its lease: attempt 0 is nobody's."""
    user = await kernel.user()
    run = await kernel.running(user)
    run_id = await kernel.send(user)
    with pytest.raises(Fenced):
        await within(kernel.log.append(user, run_id, 0, [kernel.thought(run)]))


async def test_no_tool_starts_after_a_committed_cancel(kernel: Kernel, database: Database) -> None:
    """From the commit of a cancel no `tool_executing` of the run can commit, alone or among others; what is no tool still can, so
    that the run can be told to its end, and other runs are not touched."""
    user = await kernel.user()
    run, other = await kernel.running(user), await kernel.running(user)
    await kernel.append(run, kernel.call(run, "c1"))
    assert await kernel.cancel(user, run.run_id) == "running"
    for drafts in ([kernel.call(run, "c2")], [kernel.thought(run), kernel.call(run, "c3"), kernel.thought(run)]):
        with pytest.raises(Stopped) as stopped:
            await kernel.append(run, *drafts)
        assert stopped.value.reason == "user"
    await kernel.append(run, kernel.call_done(run, "c1"), kernel.thought(run, "stopping"))
    await kernel.append(other, kernel.call(other, "c4"))
    types = [event.type for event in await kernel.story(user, run.run_id)]
    assert types == ["message_accepted", "agent_started", "tool_executing", "tool_completed", "agent_thinking"]
    check_dense(database, [user])


async def test_a_cancel_against_a_hundred_tools_has_one_order(kernel: Kernel) -> None:
    """Tools started while a cancel commits: those before it stand in the log, those after it are stopped, and no answer lies."""
    user = await kernel.user()
    run = await kernel.running(user)
    started: list[str] = []
    stopped: list[str] = []

    def use(thread: int) -> None:
        for number in range(200):
            call_id = f"{thread}-{number}"
            try:
                kernel.log.append_nowait(user, run.run_id, run.attempt, [kernel.call(run, call_id)]).result(WAIT)
            except Stopped:
                stopped.append(call_id)
                return
            started.append(call_id)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    await eventually(lambda: len(started) > 8)
    await kernel.cancel(user, run.run_id)
    for thread in threads:
        await asyncio.to_thread(thread.join, WAIT)
    stored = [event.data["call_id"] for event in await kernel.story(user) if event.type == "tool_executing"]
    assert sorted(stored) == sorted(started)
    assert len(stopped) == 4, "the cancel came after the last tool: the test proved nothing"


async def test_one_ending_is_a_constraint_of_the_database(kernel: Kernel, store: Store) -> None:
    """A second ending of a run cannot be stored, whoever tries, past all code that would refuse it; of another run it can."""
    user = await kernel.user()
    run, other = await kernel.running(user), await kernel.running(user)
    await _ended(kernel, run)
    ending = AgentFailed(EventError("agent_error", "x", retryable=False), 1)
    before = await kernel.story(user)

    def again(which: Leased, tx: Tx) -> int:
        draft = kernel.event(which, ending, final=True)
        return append_in(tx, user, which.run_id, 100, [draft]).seq

    with pytest.raises(Exception, match=r"(?i)unique"):
        await within(store.write(user, partial(again, run)))
    assert await kernel.story(user) == before
    await within(store.write(user, partial(again, other)))


async def test_an_ending_cannot_be_appended_by_a_worker(kernel: Kernel) -> None:
    """A run ends by being closed, with everything in it: an append that carries an ending is refused whole."""
    run = await kernel.running(await kernel.user())
    ending = kernel.event(run, AgentFailed(EventError("agent_error", "x", retryable=False), 1), final=True)
    with pytest.raises(ValueError, match="ending"):
        await kernel.append(run, kernel.thought(run), ending)
    assert len(await kernel.story(run.user_id)) == 2


@pytest.mark.parametrize("_round", range(4))
async def test_nothing_follows_an_ending(kernel: Kernel, _round: int) -> None:
    """Appends that race with the close of their run are stored before the ending or not at all."""
    user = await kernel.user()
    run = await kernel.running(user)
    answers: list[object] = []

    def write() -> None:
        while not answers or answers[-1] is None:
            future = kernel.log.append_nowait(user, run.run_id, run.attempt, [kernel.thought(run)])
            answers.append(future.exception(WAIT))

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    await eventually(lambda: len(answers) > 10)
    await kernel.close(run, Completed("m", None))
    for thread in threads:
        await asyncio.to_thread(thread.join, WAIT)
    story = await kernel.story(user, run.run_id)
    assert [event.final for event in story] == [False] * (len(story) - 1) + [True]
    assert len(story) == 3 + answers.count(None)
    assert {type(answer) for answer in answers} == {type(None), Fenced}


async def test_events_of_no_run_have_no_run_seq(kernel: Kernel, store: Store) -> None:
    """A thread's event takes its place in the user's log and none in a run."""
    from quintet.events import ThreadUpdated, draft

    run = await kernel.running(await kernel.user())
    renamed = draft(
        ThreadUpdated("2026-01-01T00:00:00.000Z", "Title"), event_id="ab" * 16, time_ms=0, thread_id=run.thread_id
    )
    await within(
        store.write(run.user_id, partial(append_in, user_id=run.user_id, run_id=None, run_seq=0, drafts=[renamed]))
    )
    await kernel.append(run, kernel.thought(run))
    story = await kernel.story(run.user_id)
    assert (story[2].seq, story[2].type) == (3, "thread_updated")
    assert "run_seq" not in str(await _raw(kernel, run.user_id, 3))
    assert story[3].run_seq == 3


async def _raw(kernel: Kernel, user_id: str, seq: int) -> bytes:
    return (await kernel.rows(user_id))[seq - 1].frame


async def test_a_full_disk_refuses_appends_and_leaves_no_hole(kernel: Kernel, store: Store, database: Database) -> None:
    """While there is no room, appends are refused with `storage_full` or stored whole; afterwards the numbers go on without a hole,
    and what was refused is nowhere."""
    users = [await kernel.user(), await kernel.user()]
    held = [await kernel.running(user) for user in users]
    await within(store.write("", database.fill))
    chance = random.Random(7)
    futures = [
        (
            run,
            number,
            kernel.log.append_nowait(
                run.user_id,
                run.run_id,
                run.attempt,
                [kernel.thought(run, f"{number}:" + "x" * chance.choice((10, 30_000)))],
            ),
        )
        for number in range(40)
        for run in held
    ]
    stored: set[tuple[str | None, int]] = set()
    refused: set[tuple[str | None, int]] = set()
    for run, number, future in futures:
        error = future.exception(WAIT)
        assert error is None or (isinstance(error, QuintetError) and error.code == "storage_full")
        (refused if error else stored).add((run.run_id, number))
    assert refused
    assert stored
    await within(store.write("", database.empty))
    for run in held:
        await kernel.append(run, kernel.thought(run, "99:"))
        stored.add((run.run_id, 99))
    check_dense(database, users)
    found = {
        (event.run_id, int(event.data["text"].partition(":")[0]))
        for user in users
        for event in await kernel.story(user)
        if event.type == "agent_thinking"
    }
    assert found == stored
    database.check()


async def test_a_head_is_opened_once_a_user(kernel: Kernel, store: Store) -> None:
    """A user has one stream: a second head is refused, and asking for the head of nobody is a KeyError."""
    user = await kernel.user()
    with pytest.raises(Exception, match=r"(?i)unique"):
        await within(store.write(user, lambda tx: create_head(tx, user, "other")))
    with pytest.raises(KeyError):
        await within(store.read(lambda tx: head_in(tx, "usr_nobody")))


async def test_what_is_stored_is_what_was_drafted(kernel: Kernel) -> None:
    """A frame ends with the bytes of its draft: nothing between encoding and delivery decodes or changes them."""
    run = await kernel.running(await kernel.user())
    draft = kernel.thought(run, 'quotes " \\ \n \u2028 \U0001f600 ä')
    await kernel.append(run, draft)
    frame = await _raw(kernel, run.user_id, 3)
    assert frame.endswith(draft.body[1:])
    assert decode(frame).data["text"] == 'quotes " \\ \n \u2028 \U0001f600 ä'

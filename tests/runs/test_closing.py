"""Endings: exactly one a run, everything that was open closed before it, and what was said is kept."""

import asyncio
import json
from typing import Any

import pytest

from quintet import runs
from quintet.errors import RUN_CODES, QuintetError
from quintet.events import MAX_EVENT_BYTES, AgentRef, Event
from quintet.log import Fenced
from quintet.runs import Cancelled, Completed, Ending, Failed, Leased
from support.databases import Database
from support.kernel import Kernel, within

pytestmark = pytest.mark.l2

ENDINGS: list[tuple[Ending, str, str]] = [
    (Completed("m", "said"), "completed", "agent_completed"),
    (Failed("agent_error"), "failed", "agent_failed"),
    (Failed("worker_lost"), "failed", "agent_failed"),
    (Cancelled("user"), "cancelled", "agent_cancelled"),
    (Cancelled("timeout"), "cancelled", "agent_cancelled"),
    (Cancelled("shutdown"), "cancelled", "agent_cancelled"),
]


def shape(events: list[Event]) -> list[tuple[str, str]]:
    """Type and agent of each event."""
    return [(event.type, event.agent.name if hasattr(event.agent, "name") else "") for event in events]


async def said(kernel: Kernel, run: Leased) -> list[Any]:
    """The agent's messages of a run: id, text, agent, thread."""
    statement = "SELECT id, text, agent, thread_id FROM messages WHERE user_id = ? AND run_id = ? AND role = 'agent'"
    return await within(kernel.store.read(lambda tx: tx.sql(statement, (run.user_id, run.run_id)).fetchall()))


async def state_of(kernel: Kernel, user_id: str, run_id: str) -> tuple[str, Any, bool]:
    """A run's state, its error and whether its end has a time."""
    statement = "SELECT state, error, ended_at FROM runs WHERE user_id = ? AND id = ?"
    row = await within(kernel.store.read(lambda tx: tx.sql(statement, (user_id, run_id)).fetchone()))
    return row[0], json.loads(row[1]) if row[1] else None, row[2] is not None


async def opened(kernel: Kernel) -> Leased:
    """A run with nested children, one of which has ended, and open calls at three levels."""
    run = await kernel.running(await kernel.user())
    done, done_started = kernel.child(run, "done")
    outer, outer_started = kernel.child(run, "outer")
    inner, inner_started = kernel.child(run, "inner", outer)
    await kernel.append(run, done_started, kernel.child_done(run, done))
    await kernel.append(run, outer_started, inner_started)
    await kernel.append(run, kernel.call(run, "c-done"), kernel.call_done(run, "c-done"))
    await kernel.append(
        run, kernel.call(run, "c-root"), kernel.call(run, "c-inner", inner), kernel.call(run, "c-outer", outer)
    )
    return run


@pytest.mark.parametrize(("ending", "state", "kind"), ENDINGS)
async def test_a_close_closes_what_is_open_inside_out(kernel: Kernel, ending: Ending, state: str, kind: str) -> None:
    """In one commit: the open calls, then the children from the innermost, then the root with `final`; each exactly once, what had
    ended before is left alone, and nesting by `parent_id` stays whole."""
    run = await opened(kernel)
    before = len(await kernel.story(run.user_id))
    assert await kernel.close(run, ending) == state
    closing = (await kernel.story(run.user_id))[before:]
    child = "agent_failed" if kind == "agent_completed" else kind
    assert shape(closing) == [
        ("tool_completed", "assistant"),
        ("tool_completed", "inner"),
        ("tool_completed", "outer"),
        (child, "inner"),
        (child, "outer"),
        (kind, "assistant"),
    ]
    assert [event.final for event in closing] == [False] * 5 + [True]
    assert [event.data["call_id"] for event in closing[:3]] == ["c-root", "c-inner", "c-outer"]
    lost = ending == Failed("worker_lost")
    for event in closing[:3]:
        assert event.data["status"] == ("error" if lost else "cancelled")
        assert (event.data.get("error", {}).get("code") == "worker_lost") == lost
    code = ending.code if isinstance(ending, Failed) else "agent_error"
    for event in closing[3:5]:
        assert event.data.get("reason", event.data.get("error", {}).get("code")) == getattr(ending, "reason", code)
    assert all(event.data["duration_ms"] >= 0 for event in closing)
    check_whole(await kernel.story(run.user_id))
    assert (await state_of(kernel, run.user_id, run.run_id))[::2] == (state, True)


def check_whole(story: list[Event]) -> None:
    """Every invocation has one start and one ending, children lie inside their parents, calls inside their agents; one root."""
    open_agents: list[str] = []
    calls: dict[str, str] = {}
    roots = set()
    for event in story[1:]:
        agent = event.agent
        assert hasattr(agent, "id")
        if event.type == "agent_started":
            parent = getattr(agent, "parent_id", None)
            if isinstance(parent, str):
                assert parent in open_agents
            else:
                roots.add(agent.id)
            assert agent.id not in open_agents
            open_agents.append(agent.id)
        elif event.type in {"agent_completed", "agent_failed", "agent_cancelled"}:
            assert agent.id not in calls.values()
            open_agents.remove(agent.id)
        elif event.type == "tool_executing":
            calls[event.data["call_id"]] = agent.id
        elif event.type == "tool_completed":
            assert calls.pop(event.data["call_id"]) == agent.id
        else:
            assert agent.id in open_agents
    assert (open_agents, calls, len(roots)) == ([], {}, 1)
    assert [event.run_seq for event in story] == list(range(1, len(story) + 1))
    assert len({event.trace_id for event in story}) == 1


@pytest.mark.parametrize(("ending", "state", "kind"), ENDINGS)
async def test_a_run_ends_once(kernel: Kernel, ending: Ending, state: str, kind: str) -> None:
    """Whoever closes second is fenced, whatever either says, and changes nothing."""
    run = await kernel.running(await kernel.user())
    assert await kernel.close(run, ending) == state
    story, stands = await kernel.story(run.user_id), await state_of(kernel, run.user_id, run.run_id)
    for again, _, _ in ENDINGS:
        with pytest.raises(Fenced):
            await kernel.close(run, again)
    assert await kernel.cancel(run.user_id, run.run_id) == state
    assert await kernel.story(run.user_id) == story
    assert await state_of(kernel, run.user_id, run.run_id) == stands
    assert [event.type for event in story if event.final] == [kind]


async def test_fifty_closes_at_once_are_one_ending(kernel: Kernel) -> None:
    """Of many who close, cancel and append at the same moment exactly one ends the run."""
    run = await kernel.running(await kernel.user())
    work = [kernel.close(run, ENDINGS[number % len(ENDINGS)][0]) for number in range(30)]
    work += [kernel.cancel(run.user_id, run.run_id) for _ in range(10)]
    appends = [kernel.append(run, kernel.thought(run)) for _ in range(10)]
    outcomes = await asyncio.gather(*work, *appends, return_exceptions=True)
    closes = outcomes[:30]
    assert sum(isinstance(outcome, str) for outcome in closes) == 1
    assert {type(outcome) for outcome in closes} == {str, Fenced}
    story = await kernel.story(run.user_id)
    assert [event.final for event in story] == [False] * (len(story) - 1) + [True]


@pytest.mark.parametrize("attempt", [0, 2, 99])
async def test_another_attempt_cannot_close(kernel: Kernel, attempt: int) -> None:
    """Who lost the run cannot end it."""
    run = await kernel.running(await kernel.user())
    with pytest.raises(Fenced):
        await kernel.close(run._replace(attempt=attempt), Failed("agent_error"))
    with pytest.raises(Fenced):
        await kernel.close(run._replace(run_id="run_nowhere"), Failed("agent_error"))
    with pytest.raises(Fenced):
        await kernel.close(run._replace(user_id=await kernel.user()), Failed("agent_error"))
    assert len(await kernel.story(run.user_id)) == 2


@pytest.mark.parametrize("ending", [Cancelled("user"), Cancelled("shutdown"), Failed("unavailable")])
async def test_a_run_that_ends_queued_has_two_events(kernel: Kernel, ending: Ending) -> None:
    """`message_accepted` and its ending, whose agent is a fresh id with the root's name and no parent; its turn passes on."""
    user = await kernel.user()
    run = await kernel.running(user)
    waiting = [await kernel.send(user, thread_id=run.thread_id) for _ in range(2)]
    moment = kernel.moment()
    if isinstance(ending, Cancelled):
        assert await kernel.cancel(user, waiting[0], ending.reason) == "cancelled"
    else:
        await within(kernel.store.write(user, lambda tx: runs.close(tx, user, waiting[0], 0, ending, moment)))
    story = await kernel.story(user, waiting[0])
    assert [event.run_seq for event in story] == [1, 2]
    assert [event.final for event in story] == [False, True]
    last = story[1].agent
    assert isinstance(last, AgentRef)
    assert last.name == "assistant"
    assert last.id.startswith("agt_")
    assert not isinstance(last.parent_id, str)
    assert story[1].data["duration_ms"] == 0
    await kernel.close(run, Completed("m", "x"))
    assert [leased.run_id for leased in await kernel.lease()] == [waiting[1]]


async def test_completing_a_queued_run_is_no_legal_step(kernel: Kernel) -> None:
    """A run that nobody leased cannot have succeeded."""
    user = await kernel.user()
    run_id = await kernel.send(user)
    moment = kernel.moment()
    with pytest.raises(Fenced):
        await within(kernel.store.write(user, lambda tx: runs.close(tx, user, run_id, 0, Completed("m", "x"), moment)))


@pytest.mark.parametrize("ending", [Completed("m", "finished after all"), Failed("agent_error"), Failed("no_answer")])
async def test_after_a_committed_cancel_a_run_ends_cancelled(kernel: Kernel, ending: Ending) -> None:
    """Whatever the agent made of its cancellation, the user asked for a stop and sees one, with the cancel's reason."""
    run = await kernel.running(await kernel.user())
    await kernel.append(run, kernel.piece(run, "m", 0, "half "), kernel.piece(run, "m", 5, "said"))
    assert await kernel.cancel(run.user_id, run.run_id) == "running"
    assert await kernel.cancel(run.user_id, run.run_id, "shutdown") == "running"
    assert await kernel.close(run, ending) == "cancelled"
    last = (await kernel.story(run.user_id))[-1]
    assert (last.type, last.data["reason"]) == ("agent_cancelled", "user")
    assert await said(kernel, run) == [("m", "half said", "assistant", run.thread_id)]
    assert (await state_of(kernel, run.user_id, run.run_id))[1] is None


@pytest.mark.parametrize("ending", [Failed("agent_error"), Cancelled("timeout"), Failed("worker_lost")])
async def test_what_was_said_before_the_end_is_kept(kernel: Kernel, ending: Ending) -> None:
    """A run that was stopped in the middle leaves the root's pieces as a message of the thread; a child's are no message."""
    run = await kernel.running(await kernel.user())
    child, started = kernel.child(run, "writer")
    await kernel.append(run, kernel.piece(run, "m", 0, "one "), started, kernel.piece(run, "mc", 0, "a child's", child))
    await kernel.append(run, kernel.piece(run, "m", 4, "two \U0001f600"))
    await kernel.close(run, ending)
    assert await said(kernel, run) == [("m", "one two \U0001f600", "assistant", run.thread_id)]


async def test_who_said_nothing_leaves_no_message(kernel: Kernel) -> None:
    """A result without words, and an ending without a word, make no message."""
    for ending in (Completed(None, None, result={"a": 1}), Failed("no_answer"), Cancelled("user")):
        run = await kernel.running(await kernel.user())
        await kernel.close(run, ending)
        assert await said(kernel, run) == []


async def test_an_answer_is_the_ending_and_the_message(kernel: Kernel) -> None:
    """The ending carries text, result, usage and the worker's duration; absent means absent."""
    run = await kernel.running(await kernel.user())
    await kernel.close(run, Completed("m", "the answer", {"n": 1}, {"input_tokens": 5}), duration_ms=1234)
    assert (await kernel.story(run.user_id))[-1].data == {
        "message_id": "m",
        "text": "the answer",
        "result": {"n": 1},
        "usage": {"input_tokens": 5},
        "duration_ms": 1234,
    }
    bare = await kernel.running(run.user_id)
    await kernel.close(bare, Completed(), duration_ms=1)
    assert (await kernel.story(run.user_id))[-1].data == {"duration_ms": 1}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("x" * 32768, True),
        ("x" * 32769, False),
        ("ä" * 16384, True),
        ("ä" * 16385, False),
        ("\U0001f600" * 8192, True),
        ('"' * 32768, False),
        ("\n" * 32768, False),
        ("\x01" * 32768, False),
        ("x" * 1_000_000, False),
    ],
)
async def test_a_long_answer_is_whole_in_the_thread(kernel: Kernel, text: str, fits: bool) -> None:
    """Over 32 KiB, or where JSON makes more of it than an event may have, the ending is `truncated` without `text`; the message is
    whole. No answer keeps a run from ending."""
    run = await kernel.running(await kernel.user())
    assert await kernel.close(run, Completed("m", text)) == "completed"
    row = (await kernel.rows(run.user_id))[-1]
    assert len(row.frame) <= MAX_EVENT_BYTES
    data = (await kernel.story(run.user_id))[-1].data
    assert data["message_id"] == "m"
    assert data.get("text") == (text if fits else None)
    assert data.get("truncated") == (None if fits else True)
    assert (await said(kernel, run))[0][1] == text


async def test_a_result_and_an_answer_share_the_room(kernel: Kernel) -> None:
    """An answer within its limit gives way to a large result, so that the event stays within 64 KiB; the message is whole."""
    run = await kernel.running(await kernel.user())
    text, result = '"' * 20000, {"lines": ["x" * 100] * 230}
    await kernel.close(run, Completed("m", text, result))
    data = (await kernel.story(run.user_id))[-1].data
    assert data["result"] == result
    assert (data.get("text"), data["truncated"]) == (None, True)
    assert (await said(kernel, run))[0][1] == text


@pytest.mark.parametrize("code", sorted(RUN_CODES))
async def test_a_failure_has_its_fixed_sentence(kernel: Kernel, code: str) -> None:
    """The error of an ending and of the run is the code's sentence, for the user, with whether trying again makes sense."""
    run = await kernel.running(await kernel.user())
    await kernel.close(run, Failed(code))
    expected = {"code": code, "message": RUN_CODES[code].sentence, "retryable": RUN_CODES[code].retryable}
    assert (await kernel.story(run.user_id))[-1].data["error"] == expected
    assert await state_of(kernel, run.user_id, run.run_id) == ("failed", expected, True)


async def test_an_unknown_run_cannot_be_cancelled(kernel: Kernel) -> None:
    """Another user's run and one that never was are the same `not_found`."""
    run = await kernel.running(await kernel.user())
    other = await kernel.user()
    for user_id, run_id in ((other, run.run_id), (run.user_id, "run_nowhere"), ("usr_nobody", run.run_id), (other, "")):
        with pytest.raises(QuintetError) as refused:
            await kernel.cancel(user_id, run_id)
        assert refused.value.code == "not_found"
    assert len(await kernel.story(run.user_id)) == 2


async def test_a_worker_learns_which_of_its_runs_are_cancelled(kernel: Kernel) -> None:
    """Asked for, they are that worker's running runs with a committed cancel and its first reason; the cancel wakes the workers."""
    user = await kernel.user()
    mine, foreign, calm = await kernel.running(user), await kernel.running(user), await kernel.running(user)
    other = next(run for run in [await kernel.send(user)] if run)
    await kernel.lease(worker_id="w2")
    woken: list[int] = []
    kernel.store.wakes.listen("work", lambda: woken.append(1))
    for run_id in (mine.run_id, foreign.run_id, other):
        await kernel.cancel(user, run_id)
    await kernel.cancel(user, mine.run_id, "shutdown")
    assert len(woken) == 3, "a repeated cancel changes nothing"
    found = await within(kernel.store.read(lambda tx: runs.cancelled(tx, "w1")))
    assert sorted(found) == sorted([(user, mine.run_id, "user"), (user, foreign.run_id, "user")])
    assert await within(kernel.store.read(lambda tx: runs.cancelled(tx, "w2"))) == [(user, other, "user")]
    await kernel.close(mine, Cancelled("user"))
    assert await within(kernel.store.read(lambda tx: runs.cancelled(tx, "w1"))) == [(user, foreign.run_id, "user")]
    assert calm.run_id not in {run for _, run, _ in found}


async def test_the_runs_of_the_dead_end_at_the_next_start(kernel: Kernel, database: Database) -> None:
    """`lose_all` ends every running run once as `worker_lost`, or cancelled where that was asked for; queued runs stay and get their
    turn, the dead workers' agents are forgotten, and a second call finds nothing."""
    users = [await kernel.user() for _ in range(3)]
    lost = [await opened(kernel), await kernel.running(users[0]), await kernel.running(users[1])]
    stopped = await kernel.running(users[2])
    await kernel.cancel(stopped.user_id, stopped.run_id)
    waiting = await kernel.send(users[0], thread_id=lost[1].thread_id)
    await within(kernel.store.write("", lambda tx: runs.announce(tx, "w1", {"assistant": "x"})))
    moment = kernel.moment()
    ended = await within(kernel.store.write("", lambda tx: runs.lose_all(tx, moment)))
    assert sorted(ended) == sorted((run.user_id, run.run_id) for run in (*lost, stopped))
    for run in lost:
        story = await kernel.story(run.user_id, run.run_id)
        assert story[-1].data["error"]["code"] == "worker_lost"
        assert story[-1].data["error"]["retryable"] is True
        check_whole(story)
    assert (await kernel.story(stopped.user_id))[-1].type == "agent_cancelled"
    assert await within(kernel.store.write("", lambda tx: runs.lose_all(tx, moment))) == []
    assert database.rows("SELECT count(*) FROM agents") == [(0,)]
    assert [run.run_id for run in await kernel.lease()] == [waiting]
    ids = [event.id for user in {run.user_id for run in (*lost, stopped)} for event in await kernel.story(user)]
    assert len(set(ids)) == len(ids), "two events share an id"
    with pytest.raises(Fenced):
        await kernel.append(lost[0], kernel.thought(lost[0]))

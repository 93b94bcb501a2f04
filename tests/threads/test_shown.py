"""What is shown of a thread, a message and a run: absent means absent, a run's events are its own, a page mark is one of ours."""

from functools import partial
from typing import Any

import pytest

from quintet import runs
from quintet.chat import Submitting, reading
from quintet.chat.reading import message_page, run_events, run_of, snapshot, thread_of, thread_page
from quintet.chat.submit import title_of
from quintet.chat.threads import create_thread
from quintet.errors import QuintetError
from quintet.events import decode
from quintet.protocol import Send
from quintet.scope import UserScope
from support.kernel import Kernel, within


def nulls(value: Any) -> list[Any]:
    """Every null anywhere in what is shown."""
    if isinstance(value, dict):
        return [found for item in value.values() for found in nulls(item)]
    if isinstance(value, list):
        return [found for item in value for found in nulls(item)]
    return [value] if value is None else []


@pytest.mark.l2
async def test_what_has_not_happened_is_not_shown(kernel: Kernel) -> None:
    """A run that waits or works, an answer nobody began: the keys are left out, none is null. A thread without a title has an empty one."""
    user = await kernel.user()
    scope, moment = UserScope(user), kernel.moment()
    bare = await within(kernel.store.write(user, lambda tx: create_thread(tx, scope, None, moment)))
    assert list(bare) == ["id", "title", "created_at", "updated_at"]
    assert bare["title"] == ""
    working = await kernel.running(user)
    waiting = await kernel.send(user, thread_id=working.thread_id)
    read = kernel.store.read
    states = {one: await within(read(partial(run_of, scope=scope, run_id=one))) for one in (working.run_id, waiting)}
    assert [set(states[one]) & {"started_at", "ended_at", "error"} for one in states] == [{"started_at"}, set()]
    told = await within(read(lambda tx: snapshot(tx, scope)))
    assert [(run["id"], run["text"], "message_id" in run) for run in told["runs"]] == [
        (working.run_id, "", False),
        (waiting, "", False),
    ]
    await kernel.append(working, kernel.piece(working, "msg_answer", 0, "So"), kernel.call(working, "c1"))
    told = await within(read(lambda tx: snapshot(tx, scope)))
    assert (told["runs"][0]["message_id"], told["runs"][0]["text"]) == ("msg_answer", "So")
    assert [call["call_id"] for call in told["runs"][0]["calls"]] == ["c1"]
    await kernel.close(working, runs.Failed("agent_error"))
    ended = await within(read(lambda tx: run_of(tx, scope, working.run_id)))
    assert {"started_at", "ended_at", "error"} <= set(ended)
    assert not nulls([bare, states, told, ended])


@pytest.mark.l2
async def test_the_events_of_a_run_are_its_own(kernel: Kernel) -> None:
    """Of two runs at work beside each other in one log each gives its own events, after any of its positions, to any bound."""
    user = await kernel.user()
    scope, read = UserScope(user), kernel.store.read
    held = [await kernel.running(user) for _ in range(2)]
    for _ in range(3):
        for run in held:
            await kernel.append(run, kernel.thought(run))
    for run in held:
        whole = [event.seq for event in await kernel.story(user, run.run_id)]
        for after in range(6):
            for limit in (1, 2, 50):
                ask = partial(run_events, scope=scope, run_id=run.run_id, after=after, limit=limit)
                found = [decode(frame) for frame in await within(read(ask))]
                assert [event.seq for event in found] == whole[after : after + limit]
                assert {event.run_id for event in found} <= {run.run_id}


@pytest.mark.l2
@pytest.mark.parametrize("mark", ["", "x", "-1", "1.5", "²", "٣", "9" * 19, " 1"])
async def test_a_page_mark_that_is_not_ours_is_refused(kernel: Kernel, mark: str) -> None:
    """Whatever stands in `after`: a clear refusal, and no number that the database cannot hold."""
    scope = UserScope(await kernel.user())
    with pytest.raises(QuintetError, match="bad_message"):
        await within(kernel.store.read(lambda tx: thread_page(tx, scope, mark, 5)))


@pytest.mark.l2
async def test_pages_tile_what_there_is(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page after page: threads newest first, messages oldest first, each once; the last page names no next one.

    A page of messages ends early where their texts are long, and has one at least.
    """
    user = await kernel.user()
    scope, read = UserScope(user), kernel.store.read
    await within(kernel.store.write("", lambda tx: runs.announce(tx, "w1", {"assistant": ""})))
    submit = Submitting(kernel.store, kernel.sources, default_agent="assistant")
    first = await within(submit(scope, Send("c0", "message 0")))
    for number in range(1, 5):
        await within(submit(scope, Send(f"c{number}", f"message {number}", first["thread_id"])))
        await within(submit(scope, Send(f"t{number}", f"thread {number}")))

    async def paged(page: Any, limit: int) -> list[Any]:
        found, after = [], None
        for _ in range(10):
            told = await within(read(partial(page, after=after, limit=limit)))
            assert len(told["items"]) <= limit
            found += told["items"]
            if "next" not in told:
                return found
            after = told["next"]
        raise AssertionError("the pages have no end")

    for limit in (1, 2, 5, 50):
        threads = await paged(partial(thread_page, scope=scope), limit)
        assert [thread["title"] for thread in threads] == [*(f"thread {n}" for n in (4, 3, 2, 1)), "message 0"]
        said = await paged(partial(message_page, scope=scope, thread_id=first["thread_id"]), limit)
        assert [message["text"] for message in said] == [f"message {number}" for number in range(5)]
    for characters, most in ((20, 2), (5, 1)):
        monkeypatch.setattr(reading, "PAGE_CHARACTERS", characters)
        page = partial(message_page, scope=scope, thread_id=first["thread_id"])
        assert len((await within(read(partial(page, after=None, limit=50))))["items"]) == most
        assert [message["text"] for message in await paged(page, 50)] == [f"message {number}" for number in range(5)]
    with pytest.raises(QuintetError, match="not_found"):
        await within(read(lambda tx: thread_of(tx, UserScope("usr_nobody"), first["thread_id"])))


@pytest.mark.l1
def test_a_title_is_the_first_line_that_says_something() -> None:
    """Blank lines and runs of blanks go; up to 80 characters it is left as it is, beyond that it is cut and says so."""
    assert title_of("\n  \n  On \t violins  \nand more") == "On violins"
    assert title_of("x" * 80) == "x" * 80
    assert title_of("x" * 81) == "x" * 79 + "…"
    assert title_of("x" * 78 + " yz") == "x" * 78 + "…"

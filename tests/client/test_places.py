"""One run, event by event: what comes twice, what is missing, what was said, and where there is no ending."""

import asyncio
from typing import Any

import pytest

from client.script import Answer, Script, Seat, event
from quintet.client import Client, RefusedError, Run, SignedOutError, UnfinishedError, run

pytestmark = pytest.mark.l2
STEP = 10.0
EVENTS, STATE = "GET /v1/runs/run_1/events", "GET /v1/runs/run_1"


async def begun(script: Script, client: Client) -> tuple[Run, Seat, "asyncio.Task[list[Any]]"]:
    """A run that was sent, accepted (its first event) and answered, and whoever reads it."""
    asked = client.run("hello", agent="echo")
    reading = asyncio.create_task(places(asked))
    seat = await script.seat()
    await seat.follow()
    said = await seat.hear("send")
    await seat.say("result", id=said["id"], message_id="m", run_id="run_1", thread_id="t", cursor="e.1.d")
    await seat.tell(event(1, "message_accepted", data={"client_id": said["client_id"]}))
    async with asyncio.timeout(STEP):
        while not asked._last:
            await asyncio.sleep(0)
    return asked, seat, reading


async def places(asked: Run) -> list[Any]:
    """The numbers of its events, in the order in which they are given."""
    return [one.run_seq async for one in asked]


def ending(seq: int, place: int, **data: Any) -> dict[str, Any]:
    """The last event of a run."""
    return event(seq, "agent_completed", place=place, data=data, final=True)


def delta(seq: int, offset: int, text: str, **more: Any) -> dict[str, Any]:
    """Something said."""
    return event(seq, "text_delta", data={"offset": offset, "text": text}, **more)


async def test_each_event_of_a_run_is_given_once_and_what_is_missing_is_fetched(script: Script, client: Client) -> None:
    """By its place in the run: one that comes twice is dropped, one that the feed left out is read from the log, others' are not its."""
    script.answers[EVENTS] = [Answer([event(13, place=3), event(14, place=4)])]
    asked, seat, reading = await begun(script, client)
    await seat.tell(event(2), event(3, place=2), event(4, run="run_2", place=3), event(5, place=4))
    await seat.tell(event(6, place=5), ending(7, 6, text="done"))
    assert await asyncio.wait_for(reading, STEP) == [1, 2, 3, 4, 5, 6]
    assert script.asked[EVENTS] == [("after=2", None)]
    assert asked.text == "done"
    assert await places(asked) == []


async def test_what_was_said_is_of_the_root_and_goes_on_at_its_offset(script: Script, client: Client) -> None:
    """`text` is the root's alone; a second try goes on from where it says; the ending's text, where it has one, is what counts."""
    asked, seat, reading = await begun(script, client)
    child = {"id": "agt_2", "name": "child", "parent_id": "agt_1"}
    await seat.tell(delta(2, 0, "Hello wor"), delta(3, 0, "I am a child", agent=child), delta(4, 6, "there"))
    await seat.tell(ending(5, 5))
    await asyncio.wait_for(reading, STEP)
    assert asked.text == "Hello there"


@pytest.mark.parametrize("state", ["completed", "failed", "cancelled"])
async def test_a_run_that_is_over_without_an_ending_is_an_error(script: Script, client: Client, state: str) -> None:
    """The feed left something out, the log has nothing more and the run is over: its reader is told, once the log was read again."""
    script.answers[EVENTS] = [Answer([])]
    script.answers[STATE] = [Answer({"state": state})]
    asked, _seat, reading = await begun(script, client)
    asked.look()
    with pytest.raises(UnfinishedError, match="without an ending"):
        await asyncio.wait_for(reading, STEP)
    assert len(script.asked[EVENTS]) == 2


async def test_an_ending_between_two_looks_is_found(script: Script, client: Client) -> None:
    """Nothing in the log, then the run is over: what came between the two questions is read, and is no error."""
    script.answers[EVENTS] = [Answer([]), Answer([ending(2, 2)])]
    script.answers[STATE] = [Answer({"state": "completed"})]
    asked, _seat, reading = await begun(script, client)
    asked.look()
    assert await asyncio.wait_for(reading, STEP) == [1, 2]


async def test_silence_is_looked_into(script: Script, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run begun before we listened says nothing over the feed: after a moment the log is asked, page by page, up to the ending."""
    monkeypatch.setattr(run, "_FIRST_LOOK", 0.1)
    script.answers[EVENTS] = [Answer([event(1), event(2)]), Answer([event(3)]), Answer([ending(4, 4)])]
    asked = client.run("hello", agent="echo")
    monkeypatch.setattr(asked, "_patience", 0.1)
    reading = asyncio.create_task(places(asked))
    seat = await script.seat()
    await seat.follow()
    said = await seat.hear("send")
    await seat.say("result", id=said["id"], message_id="m", run_id="run_1", thread_id="t", cursor="e.1.d")
    assert await asyncio.wait_for(reading, STEP) == [1, 2, 3, 4]
    assert [query for query, _ in script.asked[EVENTS]] == ["after=0", "after=2", "after=3"]


async def test_a_run_that_still_runs_is_waited_for(script: Script, client: Client) -> None:
    """Nothing in the log and the run is running: that is no error, and what comes later is given."""
    script.answers[EVENTS] = [Answer([])]
    script.answers[STATE] = [Answer({"state": "running"})]
    asked, seat, reading = await begun(script, client)
    asked.look()
    async with asyncio.timeout(STEP):
        while not script.asked[STATE]:
            await asyncio.sleep(0.01)
    await seat.tell(ending(2, 2))
    assert await asyncio.wait_for(reading, STEP) == [1, 2]


async def test_a_run_that_the_log_has_not_is_an_error(script: Script, client: Client) -> None:
    """404 for its events: the log was replaced, and the reader is told so; any other refusal is what it is."""
    asked, _seat, reading = await begun(script, client)
    asked.look()
    with pytest.raises(UnfinishedError, match="not in the log any more"):
        await asyncio.wait_for(reading, STEP)
    script.answers[EVENTS] = [Answer.problem(403, "forbidden")]
    asked.look()
    with pytest.raises(RefusedError) as told:
        await asyncio.wait_for(places(asked), STEP)
    assert told.value.code == "forbidden"


async def test_an_event_whose_way_is_not_in_the_log_is_an_error(script: Script, client: Client) -> None:
    """The feed brings a later event, the log has nothing before it: the reader is told, also while the run goes on."""
    script.answers[EVENTS] = [Answer([])]
    script.answers[STATE] = [Answer({"state": "running"})]
    _asked, seat, reading = await begun(script, client)
    await seat.tell(event(2, place=4))
    with pytest.raises(UnfinishedError):
        await asyncio.wait_for(reading, STEP)


async def test_a_run_whose_beginning_is_forgotten_is_an_error(script: Script, client: Client) -> None:
    """Retention has cut into an old run: what comes next is not in the log any more, which is said at once and not asked for again."""
    script.answers[EVENTS] = [Answer([event(3), ending(4, 4)])]
    asked, _seat, reading = await begun(script, client)
    asked.look()
    with pytest.raises(UnfinishedError, match="not in the log any more"):
        await asyncio.wait_for(reading, STEP)
    assert len(script.asked[EVENTS]) == 1


async def test_a_resync_makes_open_runs_look(script: Script, client: Client) -> None:
    """After it the feed has left something out: the log is asked at once."""
    script.answers["GET /v1/snapshot"] = [Answer({"cursor": "e.7.d", "last_seq": 7, "threads": [], "runs": []})]
    script.answers[EVENTS] = [Answer([ending(2, 2)])]
    _asked, seat, reading = await begun(script, client)
    await seat.say("resync", reason="too_old", first="e.6.d")
    assert await asyncio.wait_for(reading, 0.9) == [1, 2], "before the silence alone would have made it look"


async def test_more_than_may_wait_is_read_later(
    script: Script, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader who stands still keeps so many events and no more; the rest is in the log."""
    monkeypatch.setattr(run, "_WAITING", 3)
    script.answers[EVENTS] = [Answer([event(4), event(5), ending(6, 6)])]
    asked = client.run("hello", agent="echo")
    sending = asyncio.create_task(asked.accepted())
    seat = await script.seat()
    await seat.follow()
    said = await seat.hear("send")
    await seat.say("result", id=said["id"], message_id="m", run_id="run_1", thread_id="t", cursor="e.1.d")
    await asyncio.wait_for(sending, STEP)
    await seat.tell(*(event(number) for number in range(1, 6)), ending(6, 6))
    await seat.say("heartbeat", head="e.6.d")
    assert (await seat.hear("ack"))["cursor"] == "e.6.d"
    assert len(asked._inbox) == 3
    assert await asyncio.wait_for(places(asked), STEP) == [1, 2, 3, 4, 5, 6]


async def test_events_that_come_before_the_answer_are_the_runs(script: Script, client: Client) -> None:
    """The acceptance names the message: what follows it is given to whoever asked, also when the answer to `send` is late."""
    asked = client.run("hello", agent="echo", client_id="mine")
    reading = asyncio.create_task(places(asked))
    seat = await script.seat()
    await seat.follow()
    said = await seat.hear("send")
    assert said["client_id"] == "mine"
    await seat.tell(event(1, "message_accepted", data={"client_id": "mine"}), event(2), ending(3, 3))
    await seat.say("result", id=said["id"], message_id="m", run_id="run_1", thread_id="t", cursor="e.1.d")
    assert await asyncio.wait_for(reading, STEP) == [1, 2, 3]
    assert not script.asked[EVENTS], "nothing had to be fetched"


async def test_what_ends_the_conversation_ends_its_runs(script: Script, client: Client) -> None:
    """Signed out in the middle of a run: after everything that came, its reader is told why."""
    asked, seat, reading = await begun(script, client)
    await seat.tell(event(2))
    await seat.close(4501, "session_revoked")
    with pytest.raises(SignedOutError):
        await asyncio.wait_for(reading, STEP)
    assert asked._last == 2

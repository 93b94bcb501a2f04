"""The words of the wire, one at a time: what a client does with each of them, right or wrong, at any moment."""

import asyncio
import time

import pytest

from client.script import Answer, Script, event
from quintet.client import (
    CaughtUp,
    Client,
    ClosedError,
    Received,
    Resynced,
    SignedOutError,
    WireError,
)

pytestmark = pytest.mark.l2
STEP = 10.0


async def _next(items: object) -> object:
    return await asyncio.wait_for(anext(items), STEP)  # type: ignore[call-overload]


async def test_only_what_was_applied_is_acknowledged(script: Script, client: Client) -> None:
    """What the reader has been given and not come back from is not acknowledged: the server may forget what is."""
    items = client.follow("e.0.d")
    first = asyncio.ensure_future(_next(items))
    seat = await script.seat()
    assert (await seat.follow())["after"] == "e.0.d"
    await seat.tell(event(1), event(2))
    assert isinstance(await first, Received)
    await seat.say("heartbeat", head="e.2.d")
    assert await seat.hear("ack") == {"do": "ack", "cursor": "e.0.d"}
    await _next(items)
    await seat.say("heartbeat", head="e.2.d")
    assert await seat.hear("ack") == {"do": "ack", "cursor": "e.1.d"}
    await items.aclose()
    await asyncio.wait_for(seat.gone(), STEP)


async def test_what_comes_before_the_answer_to_a_follow_belongs_to_an_earlier_feed(
    script: Script, client: Client
) -> None:
    """Events, a `caught_up` and an answer to another `follow` count for nothing until this one is answered."""
    items = client.follow("e.4.d")
    first = asyncio.ensure_future(_next(items))
    seat = await script.seat()
    asked = await seat.ready()
    await seat.tell(event(5, run="earlier"))
    await seat.say("caught_up", cursor="e.9.d")
    await seat.say("following", id="another", after="e.7.d", last_seq=7)
    await seat.tell(event(8, run="earlier"))
    await seat.following(asked, 4)
    await seat.tell(event(5))
    await seat.say("caught_up", cursor="e.5.d")
    item = await first
    assert isinstance(item, Received)
    assert item.event is not None
    assert (item.event.seq, item.event.run_id) == (5, "run_1")
    assert await _next(items) == CaughtUp("e.5.d")
    await items.aclose()


async def test_a_gap_is_followed_again_from_the_last_event_applied(script: Script, client: Client) -> None:
    """What came twice is dropped; after a gap nothing counts until the log is followed again from where we are."""
    items = client.follow("e.0.d")
    first = asyncio.ensure_future(_next(items))
    seat = await script.seat()
    await seat.follow()
    await seat.tell(event(1), event(1), event(3), event(2, run="of the earlier feed"))
    again = await seat.hear("follow")
    assert again["after"] == "e.1.d"
    await seat.following(again, 1)
    await seat.tell(event(2), {**event(5), "first_seq": 3})
    got = [await first, await _next(items), await _next(items)]
    assert [item.cursor for item in got if isinstance(item, Received)] == ["e.1.d", "e.2.d", "e.5.d"]
    assert b"of the earlier feed" not in b"".join(item.frame for item in got if isinstance(item, Received))
    await items.aclose()


async def test_a_socket_on_which_following_leads_nowhere_is_left(script: Script, client: Client) -> None:
    """Five times in a row without an event, or refused: the next socket is asked, from the same cursor."""
    items = client.follow("e.0.d")
    first = asyncio.ensure_future(_next(items))
    seat = await script.seat()
    await seat.follow()
    for _ in range(4):
        await seat.tell(event(9))
        await seat.following(await seat.hear("follow"), 0)
    await seat.tell(event(9))
    await asyncio.wait_for(seat.gone(), STEP)
    seat = await script.seat()
    asked = await seat.ready()
    await seat.say("error", id=asked["id"], code="unavailable", message="Not now.")
    await asyncio.wait_for(seat.gone(), STEP)
    seat = await script.seat()
    assert (await seat.follow())["after"] == "e.0.d"
    await seat.tell(event(1))
    assert isinstance(await first, Received)
    await items.aclose()


async def test_a_resync_is_gone_on_from_at_the_snapshot(script: Script, client: Client) -> None:
    """The snapshot is fetched, given out first, followed from and acknowledged; an event at its position is not given again."""
    script.answers["GET /v1/snapshot"] = [Answer({"cursor": "e.7.d", "last_seq": 7, "threads": [], "runs": []})]
    items = client.follow("old.3.d")
    first = asyncio.ensure_future(_next(items))
    seat = await script.seat()
    asked = await seat.ready()
    await seat.say("resync", id=asked["id"], reason="epoch", first="e.2.d")
    told = await first
    assert isinstance(told, Resynced)
    assert (told.reason, told.cursor, told.last_seq, told.first) == ("epoch", "e.7.d", 7, "e.2.d")
    again = await seat.hear("follow")
    assert again["after"] == "e.7.d"
    await seat.say("heartbeat", head="e.7.d")
    assert (await seat.hear("ack"))["cursor"] == "e.7.d"
    await seat.following(again, 7)
    await seat.tell(event(7), event(8))
    item = await _next(items)
    assert isinstance(item, Received)
    assert item.cursor == "e.8.d"
    await items.aclose()


async def test_what_a_later_version_says_is_passed_over(script: Script, client: Client) -> None:
    """An unknown frame is nothing; an event of a shape that we do not know has no meaning, and its position counts."""
    items = client.follow("e.0.d")
    first = asyncio.ensure_future(_next(items))
    seat = await script.seat()
    await seat.follow()
    await seat.say("weather", rain=True)
    await seat.tell({"type": "agent_sang", "seq": 1, "cursor": "e.1.d"}, event(2))
    item = await first
    assert isinstance(item, Received)
    assert (item.event, item.cursor) == (None, "e.1.d")
    second = await _next(items)
    assert isinstance(second, Received)
    assert second.cursor == "e.2.d"
    await items.aclose()


async def test_a_drain_says_how_long_to_stay_away(script: Script, client: Client) -> None:
    """`draining` names the wait before the next socket: not sooner, and only that once."""
    items = client.follow("e.0.d")
    first = asyncio.ensure_future(_next(items))
    seat = await script.seat()
    await seat.follow()
    await seat.say("draining", after=1.0)
    began = time.monotonic()
    await seat.close(4000, "draining")
    seat = await script.seat()
    assert time.monotonic() - began >= 0.99
    await seat.follow()
    again = time.monotonic()
    await seat.close(4000, "draining")
    seat = await script.seat()
    assert time.monotonic() - again < 0.99, "waited for a drain that was over"
    await seat.follow()
    await seat.tell(event(1))
    await first
    await items.aclose()


@pytest.mark.parametrize(
    ("code", "reason", "fault"),
    [
        (4500, "unauthenticated", SignedOutError),
        (4501, "session_revoked", SignedOutError),
        (4503, "forbidden", ClosedError),
        (4505, "protocol", ClosedError),
        (4506, "unsupported_version", ClosedError),
        (4999, "of a later version", ClosedError),
        (1002, "", ClosedError),
        (1003, "", ClosedError),
        (1007, "", ClosedError),
        (1009, "", ClosedError),
    ],
)
async def test_a_code_that_says_stop_stops(
    script: Script, client: Client, code: int, reason: str, fault: type[Exception]
) -> None:
    """No further socket is tried; whoever reads, whoever waits for an answer and whoever asks afterwards is told why."""
    asking = asyncio.create_task(client.cancel("run_1"))
    seat = await script.seat()
    await seat.follow()
    await seat.hear("cancel")
    await seat.close(code, reason)
    with pytest.raises(fault) as told:
        await asyncio.wait_for(asking, STEP)
    if isinstance(told.value, SignedOutError):
        assert told.value.code == reason
    if isinstance(told.value, ClosedError):
        assert (told.value.number, told.value.reason) == (code, reason)
    with pytest.raises(fault):
        await asyncio.wait_for(client.cancel("run_1"), STEP)
    assert script.waiting == 0


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 4000, 4001, 4002, 4004, 4006, 4010, 4499])
async def test_any_other_code_is_come_back_from(script: Script, client: Client, code: int) -> None:
    """The next socket goes on, and what was asked is asked again there under the same id."""
    asking = asyncio.create_task(client.cancel("run_1"))
    seat = await script.seat()
    await seat.follow()
    asked = await seat.hear("cancel")
    await seat.close(code)
    seat = await script.seat()
    await seat.follow()
    assert await seat.hear("cancel") == asked
    await seat.say("result", id=asked["id"], run_id="run_1", state="cancelled")
    assert await asyncio.wait_for(asking, STEP) == "cancelled"


@pytest.mark.parametrize("first", [b'{"type":"weather"}', b"no frame", b"\xff\xfe", b"[1]"])
async def test_a_server_that_does_not_begin_with_ready_is_none(script: Script, client: Client, first: bytes) -> None:
    """What admits with other words, or with none, does not speak this protocol: it is left, and not tried again."""
    asking = asyncio.create_task(client.cancel("run_1"))
    seat = await script.seat()
    assert "authorization: bearer tok" in seat.head.lower()
    assert "tok" not in seat.head.splitlines()[0]
    await seat.raw(first)
    with pytest.raises((WireError, ClosedError)):
        await asyncio.wait_for(asking, STEP)
    await asyncio.wait_for(seat.gone(), STEP)
    assert script.waiting == 0

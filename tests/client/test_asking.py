"""What a client asks for over its socket: answered, refused, repeated, bounded, left unanswered."""

import asyncio
import time

import pytest

from client.script import Script
from quintet.client import Client, RefusedError, UnansweredError, connect

pytestmark = pytest.mark.l2
STEP = 10.0


async def test_a_refusal_for_a_moment_is_asked_again_and_any_other_is_not(script: Script, client: Client) -> None:
    """`busy` is waited out as long as the server says, within the caller's time; `not_found` is final."""
    asking = asyncio.create_task(client.cancel("run_1"))
    seat = await script.seat()
    await seat.follow()
    asked = await seat.hear("cancel")
    began = time.monotonic()
    await seat.say("error", id=asked["id"], code="busy", message="Busy.", retry_after=1)
    again = await seat.hear("cancel")
    assert time.monotonic() - began >= 0.99
    assert again["id"] != asked["id"]
    await seat.say("error", id=again["id"], code="not_found", message="Not here.")
    with pytest.raises(RefusedError, match="Not here") as told:
        await asyncio.wait_for(asking, STEP)
    assert told.value.code == "not_found"
    short = asyncio.create_task(client.cancel("run_2", within=3))
    asked = await seat.hear("cancel")
    await seat.say("error", id=asked["id"], code="busy", message="Busy.", retry_after=30)
    with pytest.raises(RefusedError) as told:
        await asyncio.wait_for(short, 2)
    assert told.value.retry_after == 30


async def test_an_unanswered_message_names_itself(script: Script, client: Client) -> None:
    """Nobody answered in time: the error carries the `client_id` under which the message may be sent again."""
    sending = asyncio.create_task(client.send("hello", within=0.3))
    seat = await script.seat()
    await seat.follow()
    said = await seat.hear("send")
    with pytest.raises(UnansweredError) as told:
        await asyncio.wait_for(sending, STEP)
    assert told.value.client_id == said["client_id"]
    again = asyncio.create_task(client.send("hello", client_id=told.value.client_id))
    asked = await seat.hear("send")
    assert {**asked, "id": said["id"]} == said, "the same message"
    await seat.say("result", id=asked["id"], message_id="m", run_id="r", thread_id="t", cursor="e.1.d")
    assert (await asyncio.wait_for(again, STEP)).run_id == "r"


async def test_a_run_is_sent_when_its_events_will_be_heard(script: Script, client: Client) -> None:
    """Not before the log is followed: what it tells first would come over no socket, and be looked for a second later."""
    running = asyncio.create_task(client.run("hello").accepted())
    seat = await script.seat()
    asked = await seat.ready()
    with pytest.raises(TimeoutError):
        await seat.hear("send", within=0.3)
    await seat.following(asked, 0)
    said = await seat.hear("send")
    await seat.say("result", id=said["id"], message_id="m", run_id="run_1", thread_id="t", cursor="e.1.d")
    assert (await asyncio.wait_for(running, STEP)).run_id == "run_1"


async def test_the_longest_text_is_sent_and_one_byte_more_is_not(script: Script, client: Client) -> None:
    """32 KiB of UTF-8 go out; what is larger, in its text or as a frame, is `too_long` before anything is sent."""
    sending = asyncio.create_task(client.send("é" * 16_384))
    seat = await script.seat()
    await seat.follow()
    assert len((await seat.hear("send"))["text"]) == 16_384
    for text in ("é" * 16_384 + "x", "\x01" * 12_000):
        with pytest.raises(RefusedError) as told:
            await asyncio.wait_for(client.send(text), STEP)
        assert told.value.code == "too_long"
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_so_many_requests_wait_at_once_and_no_more(script: Script, client: Client) -> None:
    """Sixteen are out; the seventeenth is sent when one of them was answered."""
    asking = [asyncio.create_task(client.cancel(f"run_{number}")) for number in range(17)]
    seat = await script.seat()
    await seat.follow()
    asked = [await seat.hear("cancel") for _ in range(16)]
    with pytest.raises(TimeoutError):
        await seat.hear("cancel", within=0.6)
    await seat.say("result", id=asked[0]["id"], run_id="run_0", state="running")
    assert (await seat.hear("cancel"))["run_id"] == "run_16"
    for task in asking:
        task.cancel()


async def test_leaving_closes_every_socket_and_ends_who_waits(script: Script) -> None:
    """After `async with` nothing of the client is left: its sockets are closed, a reader is told so, a question too."""
    async with connect(script.url, token="tok") as client:
        asking = asyncio.create_task(client.cancel("run_1"))
        shared = await script.seat()
        await shared.follow()
        reading = asyncio.ensure_future(anext(client.follow("$")))
        own = await script.seat()
        await own.follow()
    for seat in (shared, own):
        await asyncio.wait_for(seat.gone(), STEP)
    answers = await asyncio.wait_for(asyncio.gather(asking, reading, return_exceptions=True), STEP)
    assert [str(answer) for answer in answers] == ["the client was closed"] * 2

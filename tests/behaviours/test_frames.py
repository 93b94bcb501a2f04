"""Frames: what is broken is closed with its code, what is wrong is answered and the socket lives, what is too much is refused."""

import json
import struct

import pytest

from quintet.testing.accounts.account import Account, register
from quintet.testing.contracts import whole
from quintet.testing.sockets.device import Device
from quintet.testing.wire.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame_bytes
from support.server import Server
from support.world import World

pytestmark = pytest.mark.l3


@pytest.fixture(scope="module")
def standing(shared_server: Server) -> Account:
    """One user for all broken frames: making an account costs a password hash."""
    return register(shared_server)


PADDING = len(json.dumps({"id": "p", "do": "ping", "pad": ""}))


def _ping(size: int) -> bytes:
    return json.dumps({"id": "p", "do": "ping", "pad": "x" * (size - PADDING)}).encode()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        pytest.param(frame_bytes(TEXT, _ping(65_537)), 1009, id="65,537 bytes"),
        pytest.param(
            frame_bytes(TEXT, _ping(65_537)[:40_000], fin=False) + frame_bytes(CONTINUATION, _ping(65_537)[40_000:]),
            1009,
            id="fragments",
        ),
        pytest.param(frame_bytes(TEXT, b'{"id":"1","do":"ping","x":"\xff"}'), 1007, id="invalid UTF-8"),
        pytest.param(frame_bytes(TEXT, b'{"x":"\xed\xa0\x80"}'), 1007, id="a surrogate in UTF-8"),
        pytest.param(frame_bytes(TEXT, b'{"id":"1","do":"ping"}', masked=False), 1002, id="unmasked"),
        pytest.param(frame_bytes(BINARY, b'{"id":"1","do":"ping"}'), 1003, id="binary"),
        pytest.param(frame_bytes(TEXT, b'{"id":"1","do":"ping"}', rsv=4), 1002, id="reserved bit"),
        pytest.param(frame_bytes(0x3, b"{}"), 1002, id="reserved opcode"),
        pytest.param(frame_bytes(0xB, b""), 1002, id="reserved control opcode"),
        pytest.param(frame_bytes(CONTINUATION, b"{}"), 1002, id="continuation of nothing"),
        pytest.param(frame_bytes(TEXT, b"{", fin=False) + frame_bytes(TEXT, b"}"), 1002, id="text within fragments"),
        pytest.param(frame_bytes(PING, b"x" * 126), 1002, id="long ping"),
        pytest.param(frame_bytes(PING, b"x", fin=False), 1002, id="fragmented ping"),
        pytest.param(frame_bytes(CLOSE, b"x"), 1002, id="close of one byte"),
        pytest.param(frame_bytes(CLOSE, struct.pack("!H", 1005)), 1002, id="close with a code nobody may send"),
    ],
)
async def test_a_broken_frame_is_closed_with_its_code(world: World, standing: Account, wrong: bytes, code: int) -> None:
    """RFC 6455, section 7.4.1: 1002 framing, 1003 binary, 1007 bad UTF-8, 1009 too big."""
    raw = await world.raw(standing)
    await raw.write(wrong)
    assert await raw.closing() == code
    await raw.put(CLOSE, struct.pack("!H", code))
    await raw.ended(3)


async def test_the_largest_frame_is_taken(world: World) -> None:
    """65,536 bytes, in one frame and in fragments with a ping between them; characters may be split."""
    raw = await world.raw(await world.user())
    await raw.put(TEXT, _ping(65_536))
    await raw.until("pong")
    big = _ping(65_536)
    await raw.put(TEXT, big[:1_000], fin=False)
    await raw.put(PING, b"between")
    await raw.put(CONTINUATION, big[1_000:50_000], fin=False)
    await raw.put(CONTINUATION, big[50_000:])
    pong = await raw.frame()
    assert (pong.opcode, pong.payload) == (PONG, b"between")
    await raw.until("pong")
    split = '{"id":"é","do":"ping"}'.encode()
    cut = split.index(b"\xc3") + 1
    await raw.put(TEXT, split[:cut], fin=False)
    await raw.put(CONTINUATION, split[cut:])
    assert (await raw.until("pong")).body["id"] == "é"
    await raw.put(CLOSE, struct.pack("!H", 1000))
    assert await raw.closing() == 1000
    await raw.ended(3)


BAD = {
    "not JSON": "hello",
    "empty": "",
    "an array": "[1,2]",
    "a number": "7",
    "NaN": '{"id":"1","do":"ping","x":NaN}',
    "Infinity": '{"id":"1","do":"ping","x":-Infinity}',
    "deep": '{"id":"1","do":"ping","x":' + "[" * 20_000 + "]" * 20_000 + "}",
    "5,000 digits": '{"id":"1","do":"ping","x":' + "9" * 5_000 + "}",
    "unknown verb": '{"id":"1","do":"dance"}',
    "no verb": '{"id":"1"}',
    "missing id": '{"do":"ping"}',
    "id not a string": '{"id":1,"do":"ping"}',
    "id too long": json.dumps({"id": "x" * 65, "do": "ping"}),
    "two values": '{"id":"1","do":"ping"}{}',
    "after missing": '{"id":"1","do":"follow"}',
    "after not a string": '{"id":"1","do":"follow","after":0}',
    "client_id empty": '{"id":"1","do":"send","client_id":"","text":"x"}',
    "client_id too long": json.dumps({"id": "1", "do": "send", "client_id": "c" * 65, "text": "x"}),
    "text missing": '{"id":"1","do":"send","client_id":"c"}',
    "text not a string": '{"id":"1","do":"send","client_id":"c","text":{}}',
    "half a character": '{"id":"1","do":"send","client_id":"c","text":"\\ud800"}',
}


@pytest.mark.parametrize("wrong", BAD.values(), ids=BAD.keys())
async def test_a_bad_frame_is_answered_and_the_socket_lives(world: World, standing: Account, wrong: str) -> None:
    """`bad_message` with a sentence, nothing stored, and the next frame is served."""
    alice = standing
    device = await world.device(alice)
    await device.send(wrong)
    told = await device.find("an error", lambda b: b["type"] == "error")
    assert told["code"] == "bad_message"
    assert told["message"]
    assert (await device.request("ping"))["type"] == "pong"
    assert (await alice.snapshot())["last_seq"] == 0


async def test_the_eleventh_bad_frame_closes(world: World) -> None:
    """Ten within a minute are answered, the eleventh too, and then 4505."""
    device = await world.device(await world.user())
    for _ in range(11):
        await device.send("bad")
    assert await device.closed(5) == (4505, "protocol")
    assert [f.body["code"] for f in device.story if f.body.get("type") == "error"] == ["bad_message"] * 11


async def test_too_many_frames_are_refused_then_closed(world: World) -> None:
    """No more than a burst of 30 is served, the rest refused with `rate_limited` and not executed; the 31st refusal closes with 4005."""
    device = await world.device(await world.user(), after=None)
    for number in range(100):
        try:
            await device.send({"id": f"n{number}", "do": "ping"})
        except AssertionError:
            break
    assert await device.closed(5) == (4005, "rate_limited")
    refused = [f.body for f in device.story if f.body.get("type") == "error"]
    assert {r["code"] for r in refused} == {"rate_limited"}
    assert len(refused) in {30, 31}
    assert all(r["retry_after"] > 0 for r in refused)
    served = [f.body["id"] for f in device.story if f.body.get("type") == "pong"]
    assert 0 < len(served) <= 36, "no more than the burst and what the seconds brought"
    assert not set(served) & {r.get("id") for r in refused}, "a refused frame was executed"


async def test_within_the_rate_nothing_is_refused(world: World) -> None:
    """Thirty frames at once are a burst, not an attack."""
    device = await world.device(await world.user(), after=None)
    for number in range(30):
        await device.send({"id": f"n{number}", "do": "ping"})
    for number in range(30):
        await _pong(device, f"n{number}")


async def _pong(device: Device, number: str) -> None:
    told = await device.find(f"the answer to {number}", lambda seen: seen.body.get("id") == number)
    assert told["type"] == "pong", device.shown(str(told))


async def test_unknown_fields_are_ignored(world: World) -> None:
    """A newer client may say more than this server knows."""
    device = await world.device(await world.user())
    assert (await device.request("ping", colour="blue"))["type"] == "pong"
    told = await device.request("send", client_id="c", text="hello", agent="echo", mood={"good": True})
    whole(await device.run(told["run_id"]))


async def test_a_pong_of_the_protocol_answers_a_ping(world: World) -> None:
    """RFC 6455: a ping frame is answered by a pong frame with the same payload."""
    raw = await world.raw(await world.user())
    await raw.put(PING, b"are you there")
    pong = await raw.frame(3)
    assert (pong.opcode, pong.payload) == (PONG, b"are you there")


async def test_every_text_frame_is_one_object_of_known_type(world: World) -> None:
    """What the server sends are text frames, unfragmented and unmasked, each one JSON object; events alone have `seq`."""
    raw = await world.raw(await world.user())
    await raw.say({"id": "f", "do": "follow", "after": "0"})
    await raw.say({"id": "s", "do": "send", "client_id": "c", "text": "hello", "agent": "echo"})
    while not raw.frames[-1].body.get("final"):
        await raw.frame()
    answers = {"ready", "following", "caught_up", "result"}
    for frame in raw.frames:
        assert frame.opcode == TEXT and frame.fin
        assert ("seq" in frame.body) == (frame.body["type"] not in answers)

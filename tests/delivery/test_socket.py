"""A socket: its verbs in order, its limits, its clock, and how it ends."""

import asyncio
import json
import struct
from collections.abc import Callable
from typing import Any

import pytest

from delivery.stage import Stage, User, upgrade_request
from quintet.protocol import Send
from quintet.scope import UserScope
from quintet.testing.sockets.raw import RawSocket
from quintet.testing.wire.frames import CLOSE, CONTINUATION, PING, PONG, TEXT, frame_bytes
from support.kernel import eventually, within

pytestmark = pytest.mark.l2

Stages = Callable[..., Stage]


async def answers(raw: RawSocket, count: int) -> list[dict[str, Any]]:
    """The next `count` frames."""
    return [(await raw.frame()).body for _ in range(count)]


# --- verbs ------------------------------------------------------------------------------------------------------------


async def test_send_and_cancel(stage: Stages) -> None:
    """The answers hold what the protocol says; the same `client_id` again returns the first answer."""
    async with stage() as s:
        raw = await s.following(await s.user())
        await raw.say({"id": "1", "do": "send", "client_id": "c", "text": "hello"})
        told = (await raw.until("result")).body
        assert set(told) == {"type", "id", "message_id", "run_id", "thread_id", "cursor"}
        await raw.say({"id": "2", "do": "send", "client_id": "c", "text": "hello"})
        assert (await raw.until("result")).body == {**told, "id": "2"}
        await raw.say({"id": "3", "do": "send", "client_id": "c", "text": "other"})
        assert (await raw.until("error")).body["code"] == "conflict"
        await raw.say({"id": "4", "do": "cancel", "run_id": told["run_id"]})
        cancelled = (await raw.until("result")).body
        assert (cancelled["id"], cancelled["run_id"]) == ("4", told["run_id"])
        await raw.say({"id": "5", "do": "cancel", "run_id": "run_of_nobody"})
        refused = (await raw.until("error")).body
        assert (refused["id"], refused["code"]) == ("5", "not_found")
        await raw.say({"id": "6", "do": "send", "client_id": "d", "text": "x", "agent": "nobody"})
        assert (await raw.until("error")).body["code"] == "unknown_agent"


async def test_verbs_are_executed_in_the_order_they_came(stage: Stages) -> None:
    """Also when one takes long, and what cannot be read keeps its place among them."""
    async with stage() as s:
        raw = await s.open(await s.user())
        slow = asyncio.Event()

        async def submit(scope: UserScope, sent: Send) -> dict[str, Any]:
            await slow.wait()
            return {"message_id": "m"}

        _replace(s, "submit", submit)
        await raw.say({"id": "1", "do": "send", "client_id": "c", "text": "x"})
        await raw.say({"id": "2", "do": "ping"})
        await raw.put(TEXT, b"not a frame")
        await raw.say({"do": "ack", "cursor": "0"})
        await raw.say({"id": "3", "do": "ping"})
        with pytest.raises(AssertionError, match="in vain for a frame"):
            await raw.frame(0.2)
        slow.set()
        assert [body.get("id", body["type"]) for body in await answers(raw, 4)] == ["1", "2", "error", "3"]


async def test_more_than_may_wait_is_left_with_the_peer(stage: Stages) -> None:
    """While a verb takes long, nothing more is read than a few frames; afterwards all are done, and no silence is held against
    the peer."""
    async with stage(burst=10_000, waiting_frames=8, silence=0.2, heartbeat=10) as s:
        raw = await s.open(await s.user())
        slow = asyncio.Event()

        async def submit(scope: UserScope, sent: Send) -> dict[str, Any]:
            await slow.wait()
            return {"message_id": "m"}

        _replace(s, "submit", submit)
        await raw.say({"id": "s", "do": "send", "client_id": "c", "text": "x"})
        big = json.dumps({"id": "p", "do": "ping", "pad": "x" * 60_000}).encode()
        sending = asyncio.create_task(raw.write(frame_bytes(TEXT, big) * 400))
        socket = next(iter(s.gateway._parts.connections._all))._socket  # type: ignore[attr-defined]
        await eventually(lambda: socket._deadlines.deaf)
        await asyncio.sleep(0.5)
        assert len(socket._inbox) <= 10
        assert not sending.done(), "24 MB were taken in"
        slow.set()
        told = await within(answers(raw, 401))
        assert [body["id"] for body in told] == ["s"] + ["p"] * 400
        await sending


async def test_an_unexpected_failure_is_internal_and_the_socket_lives(
    stage: Stages, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a sentence and its id, the server's log the cause."""
    async with stage() as s:
        raw = await s.open(await s.user())

        async def submit(scope: UserScope, sent: Send) -> dict[str, Any]:
            raise ZeroDivisionError("the secret reason")

        _replace(s, "submit", submit)
        await raw.say({"id": "1", "do": "send", "client_id": "c", "text": "x"})
        await raw.say({"id": "2", "do": "ping"})
        told = await answers(raw, 2)
        assert (told[0]["id"], told[0]["code"], told[1]["type"]) == ("1", "internal", "pong")
        assert "secret" not in json.dumps(told)
        assert "ZeroDivisionError" in caplog.text


def _replace(s: Stage, name: str, value: Any) -> None:
    """Hand the sockets another function than the real one."""
    object.__setattr__(s.gateway._parts, name, value)


# --- who one is -------------------------------------------------------------------------------------------------------


async def test_renewal_of_the_token(stage: Stages) -> None:
    """The same user and session: `result` with `expires_in`. Nonsense is an error. Another session's token ends with 4500."""
    async with stage() as s:
        alice = await s.user()
        raw = await s.open(alice)
        await raw.say({"do": "auth", "token": s.token(alice.id, alice.session_id)})
        told = (await raw.frame()).body
        assert told["type"] == "result"
        assert "id" not in told
        assert 590 <= told["expires_in"] <= 600
        await raw.say({"id": "n", "do": "auth", "token": "nonsense"})
        told = (await raw.frame()).body
        assert (told["type"], told["id"], told["code"]) == ("error", "n", "invalid_token")
        other = await s.sign_in(alice.id)
        await raw.say({"id": "o", "do": "auth", "token": other.token})
        assert await raw.closing() == 4500


async def test_the_token_ends_and_may_be_renewed_before(stage: Stages) -> None:
    """`auth_expiring` comes in time; renewed, the socket lives on; not renewed, it ends with 4001."""
    async with stage(expiry_notice=600) as s:
        alice = await s.user()
        s.identities._tokens.seconds = 601
        raw = await s.open(await s.sign_in(alice.id))
        told = (await raw.frame(4)).body
        assert told["type"] == "auth_expiring"
        assert 598 <= told["expires_in"] <= 600
    async with stage(expiry_notice=1) as s:
        s.identities._tokens.seconds = 2
        bob = await s.sign_in(alice.id)
        raw = await s.open(bob)
        s.identities._tokens.seconds = 600
        await raw.say({"id": "r", "do": "auth", "token": s.token(bob.id, bob.session_id)})
        assert (await raw.frame()).body["type"] == "result"
        s.identities._tokens.seconds = 2
        dies = await s.open(await s.sign_in(alice.id))
        assert (await dies.frame(4)).body == {"type": "auth_expiring", "expires_in": 1}
        assert await dies.closing() == 4001
        await raw.say({"id": "p", "do": "ping"})
        assert (await raw.frame()).body["type"] == "pong"


async def test_a_session_that_ends_gets_nothing_more(stage: Stages) -> None:
    """4501 before any event committed after the revocation, also when the check is slow; other sessions go on."""
    async with stage() as s:
        alice = await s.user()
        other = await s.sign_in(alice.id)
        mine, kept, quiet = await s.following(alice), await s.following(other), await s.open(alice)

        async def slow() -> None:
            await asyncio.sleep(0.1)

        s.before_check = slow
        await s.sign_out(alice)
        await s.emit(alice, 3)
        for raw in (mine, quiet):
            assert await raw.closing() == 4501
            assert not [frame for frame in raw.frames if frame.opcode == TEXT and "seq" in frame.body]
        assert [body["seq"] for body in await answers(kept, 3)] == [3, 4, 5]


async def test_a_revocation_between_the_token_and_the_registration_is_seen(stage: Stages) -> None:
    """It has woken nobody, so the session is read once more right after registering: no `ready`, but 4501."""
    async with stage() as s:
        alice = await s.user()

        async def revoke() -> None:
            s.before_check = None
            await s.sign_out(alice)

        s.before_check = revoke
        told, raw = await s.ask(alice.token)
        assert told.status == 101
        assert await raw.closing() == 4501
        assert len(raw.frames) == 1


async def test_a_verb_of_a_session_that_has_ended_is_not_executed(stage: Stages) -> None:
    """What comes in after the revocation is known does nothing, however long the check takes."""
    async with stage() as s:
        alice = await s.user()
        raw = await s.open(alice)
        gone = asyncio.Event()

        async def until_sent() -> None:
            await within(gone.wait())

        s.before_check = until_sent
        await s.sign_out(alice)
        await eventually(lambda: s.checks == 2)
        await raw.say({"id": "1", "do": "send", "client_id": "c", "text": "x"})
        await eventually(lambda: s.checks == 3)
        gone.set()
        assert await raw.closing() == 4501
        assert [frame for frame in raw.frames if frame.opcode == TEXT][1:] == []
        runs = await s.kernel.store.read(lambda tx: tx.sql("SELECT count(*) FROM runs").fetchone()[0])
        assert runs == 1


# --- limits -----------------------------------------------------------------------------------------------------------


async def test_the_eleventh_socket_counts_until_one_is_really_gone(stage: Stages) -> None:
    """4504 after the upgrade; a socket that was told to close counts as long as its peer keeps the connection."""
    async with stage(sockets_per_user=2) as s:
        alice = await s.user()
        first, second = await s.open(alice), await s.open(alice)
        told, third = await s.ask(alice.token)
        assert told.status == 101
        assert await third.closing() == 4504
        await first.put(0x3, b"x")
        assert await first.closing() == 1002
        told, third = await s.ask(alice.token)
        assert await third.closing() == 4504
        await first.put(CLOSE, struct.pack("!H", 1002))
        await first.ended()
        await eventually(lambda: s.gateway.snapshot()["users"] == 1)
        await s.open(alice)
        await second.cut()


async def test_unauthenticated_sockets_are_few(stage: Stages) -> None:
    """Per address, 429 above; whoever authenticates makes room, also whoever is refused as a browser counts."""
    async with stage(unauthenticated_per_address=2) as s:
        alice = await s.user()
        _, one = await s.ask()
        _, two = await s.ask("nonsense", origin=f"http://localhost:{s.port}")
        assert await two.closing() == 4500
        told = await s.refused()
        assert (told.status, told.headers["retry-after"]) == (429, "5")
        await one.say({"do": "auth", "token": alice.token})
        await one.until("ready")
        _, three = await s.ask()
        assert (await s.refused()).status == 429
        await s.open(alice)  # whoever brings a credential is not limited
        await three.cut()


async def test_pings_and_fragments_are_limited_too(stage: Stages) -> None:
    """They cost the server as much as messages: a flood of them ends with 4005."""
    async with stage(burst=3) as s:
        raw = await s.open(await s.user())
        await raw.write(frame_bytes(PING, b"x") * 29)
        assert [(await raw.frame()).opcode for _ in range(29)] == [PONG] * 29
        await raw.write(frame_bytes(TEXT, b"", fin=False) + frame_bytes(CONTINUATION, b"", fin=False) * 100)
        assert await raw.closing() == 4005


async def test_bad_frames_a_minute(stage: Stages) -> None:
    """Ten are borne, the eleventh is answered and ends with 4505; a text that is too long is no bad frame."""
    async with stage(burst=100) as s:
        raw = await s.open(await s.user())
        long = {"id": "t", "do": "send", "client_id": "c", "text": "x" * 32_769}
        for _ in range(3):
            await raw.say(long)
        for _ in range(11):
            await raw.put(TEXT, b"bad")
        told = await answers(raw, 14)
        assert [body["code"] for body in told] == ["too_long"] * 3 + ["bad_message"] * 11
        assert await raw.closing() == 4505


# --- the clock --------------------------------------------------------------------------------------------------------


async def test_heartbeats_and_silence(stage: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    """A heartbeat holds the head; whoever answers with anything lives, whoever says nothing ends with 4004."""
    async with stage(heartbeat=0.1, silence=0.35) as s:
        alice = await s.user()
        quiet, lively = await s.open(alice), await s.open(alice)
        for number in range(8):
            told = (await lively.frame()).body
            assert told == {"type": "heartbeat", "head": lively.frames[0].body["head"]}
            if number % 2:
                await lively.put(PONG, b"")
            else:
                await lively.say({"do": "ack", "cursor": told["head"]})
        assert await quiet.closing() == 4004

        async def nothing(_: str) -> Any:
            raise LookupError

        monkeypatch.setattr(s.log, "head", nothing)
        await lively.put(PONG, b"")
        assert (await lively.frame()).body["type"] == "heartbeat", "also while the store cannot tell"


async def test_nobody_is_admitted_without_a_word(stage: Stages) -> None:
    """4006 in time, also when half a frame has come."""
    async with stage(auth_timeout=0.2) as s:
        _, mute = await s.ask()
        _, half = await s.ask()
        await half.write(frame_bytes(TEXT, b'{"do":"auth"}')[:5])
        assert [await mute.closing(), await half.closing()] == [4006, 4006]


async def test_a_reader_that_never_reads(stage: Stages) -> None:
    """Nothing piles up for it, others are not held up, it ends with 4002, and reading later from its cursor it has everything."""
    async with stage(slow_after=0.6, close_wait=0.3, retry=0.01) as s:
        alice, bob = await s.user(), await s.user()
        lazy = await s.following(alice, "$", receive_buffer=4_096)
        busy = await s.following(bob)
        await lazy.pause()
        wire = next(w for w in s.gateway._parts.connections._all if w._socket._user_id == alice.id)  # type: ignore[attr-defined]
        text = "x" * 30_000
        for _ in range(60):
            await s.emit(alice, 4, text)
        assert wire._tcp.get_write_buffer_size() < 400_000, "the log keeps what a reader does not take"  # type: ignore[attr-defined]
        assert not wire.writable  # type: ignore[attr-defined]
        await s.emit(bob)
        assert (await busy.frame(1)).body["seq"] == 3
        await eventually(lambda: s.gateway.snapshot().get("closed_slow_consumer") == 1)
        await eventually(lambda: s.gateway.snapshot()["sockets"] == 1)
        again = await s.open(alice)
        await again.say({"id": "f", "do": "follow", "after": "0"})
        await again.frame()
        assert [body["seq"] for body in await answers(again, 242)] == list(range(1, 243))


async def test_a_slow_reader_is_no_dead_one(stage: Stages) -> None:
    """Whoever takes a little now and then keeps the socket, and gets everything once and in order."""
    async with stage(slow_after=1) as s:
        alice = await s.user()
        raw = await s.following(alice, "$", receive_buffer=4_096, ahead=32_000)
        telling = asyncio.create_task(_tell(s, alice, 20))
        for seq in range(3, 103):
            if seq % 25 == 0:
                await asyncio.sleep(0.6)
            assert (await raw.frame()).body["seq"] == seq
        await telling


async def test_a_thin_line_is_no_dead_one(stage: Stages) -> None:
    """A few bytes at a time through a small window, far less than the kernel hands on at once: nobody is cut who takes any byte in time."""
    async with stage(slow_after=2) as s:
        alice = await s.user()
        await _tell(s, alice, 10)
        follow = frame_bytes(TEXT, json.dumps({"id": "f", "do": "follow", "after": "0"}).encode())
        await s.sip(upgrade_request(alice.token) + follow, 3.5)
        assert s.gateway.snapshot().get("closed_slow_consumer", 0) == 0


async def _tell(s: Stage, user: User, commits: int) -> None:
    for _ in range(commits):
        await s.emit(user, 5, "x" * 30_000)


# --- the end ----------------------------------------------------------------------------------------------------------


async def test_after_a_close_the_peer_is_heard_out(stage: Stages) -> None:
    """A whole oversized message and more arrive after the 1009; the close frame is not lost to a reset, and the peer's is found."""
    async with stage() as s:
        raw = await s.open(await s.user())
        await raw.write(frame_bytes(TEXT, b"x" * 3_000_000)[:1_000])
        assert await raw.closing() == 1009
        await raw.write(frame_bytes(TEXT, b"x" * 3_000_000)[1_000:] + frame_bytes(TEXT, b"y" * 1_000) * 100)
        begun = asyncio.get_running_loop().time()
        await raw.put(CLOSE, struct.pack("!H", 1009))
        await raw.ended(4)
        assert asyncio.get_running_loop().time() - begun < 2


async def test_a_peer_that_never_closes_is_dropped(stage: Stages) -> None:
    """After `close_wait`, though it keeps on sending."""
    async with stage(close_wait=0.3) as s:
        raw = await s.open(await s.user())
        await raw.put(0x3, b"")
        assert await raw.closing() == 1002
        for _ in range(100):
            await raw.put(TEXT, b"still here")
            if not s.gateway.snapshot()["sockets"]:
                break
            await asyncio.sleep(0.02)
        assert s.gateway.snapshot()["sockets"] == 0


async def test_a_close_is_echoed_and_nothing_follows(stage: Stages) -> None:
    """With the peer's code, or without one; verbs behind the close are not executed."""
    async with stage() as s:
        alice = await s.user()
        for payload, code in ((struct.pack("!H", 1001) + b"bye", 1001), (b"", 1005), (struct.pack("!H", 4321), 4321)):
            raw = await s.following(alice)
            late = frame_bytes(TEXT, b'{"id":"1","do":"send","client_id":"late","text":"x"}')
            await raw.write(frame_bytes(CLOSE, payload) + late)
            assert await raw.closing() == code
            await raw.ended(2)
        runs = await s.kernel.store.read(lambda tx: tx.sql("SELECT count(*) FROM runs").fetchone()[0])
        assert runs == 1


async def test_half_a_connection_is_no_connection(stage: Stages) -> None:
    """A peer that ends its side without a close frame is gone."""
    async with stage() as s:
        raw = await s.following(await s.user())
        await raw.half_close()
        await raw.ended(2)
        await eventually(lambda: s.gateway.snapshot()["sockets"] == 0)


async def test_draining(stage: Stages) -> None:
    """Everybody is told how long to wait, not all the same, then 4000; newcomers get 503; it ends when all are gone."""
    async with stage(drain_spread=3.0, close_wait=1.0) as s:
        sockets = [await s.following(await s.user()) for _ in range(6)]
        _, unknown = await s.ask()
        draining = asyncio.create_task(s.gateway.drain())
        waits = []
        for raw in sockets:
            told = (await raw.frame()).body
            assert told["type"] == "draining"
            waits.append(told["after"])
            assert await raw.closing() == 4000
        assert await unknown.closing() == 4000
        assert all(0 < wait <= 4 for wait in waits)
        assert len(set(waits)) > 1
        assert (await s.refused()).status == 503
        for raw in (*sockets, unknown):
            await raw.put(CLOSE, struct.pack("!H", 4000))
        assert await within(draining)


async def test_uvicorns_own_shutdown_drains_too(stage: Stages) -> None:
    """Whoever stops uvicorn without asking us: sockets are told, none holds it up."""
    async with stage(close_wait=0.3) as s:
        raw = await s.following(await s.user())
        s.server.should_exit = True
        assert (await raw.frame()).body["type"] == "draining"
        assert await raw.closing() == 4000
        await within(s._serving)

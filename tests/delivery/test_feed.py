"""A feed: from a cursor onward, replay and live in one, each event once, and nothing but the user's own."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from delivery.stage import Stage, User
from quintet.delivery.feed import Feed
from quintet.errors import QuintetError
from quintet.testing.sockets.raw import RawSocket
from support.kernel import eventually, within

pytestmark = pytest.mark.l2

Stages = Callable[..., Stage]


async def events(raw: RawSocket, count: int) -> list[int]:
    """The positions of the next `count` events, with nothing in between."""
    return [(await raw.frame()).body["seq"] for _ in range(count)]


async def test_replay_then_caught_up_then_live(stage: Stages) -> None:
    """`following`, the events in order, `caught_up` once, and then what comes."""
    async with stage() as s:
        alice = await s.user()
        await s.emit(alice, 5)
        raw = await s.open(alice)
        await raw.say({"id": "f", "do": "follow", "after": "0"})
        told = (await raw.frame()).body
        assert (told["type"], told["id"], told["last_seq"]) == ("following", "f", 0)
        assert told["after"].endswith(".0.0"), "the resolved cursor, never a sentinel"
        assert await events(raw, 7) == [1, 2, 3, 4, 5, 6, 7]
        last = raw.frames[-1].body["cursor"]
        assert (await raw.frame()).body == {"type": "caught_up", "cursor": last}
        for count in (1, 3):
            await s.emit(alice, count)
        assert await events(raw, 4) == [8, 9, 10, 11]


async def test_an_empty_rest_is_caught_up_at_once(stage: Stages) -> None:
    """From `$`, or from the newest cursor, there is nothing to replay: `caught_up` holds the cursor one came with."""
    async with stage() as s:
        alice = await s.user()
        raw = await s.open(alice)
        for after in ("$", raw.frames[0].body["head"]):
            await raw.say({"id": "f", "do": "follow", "after": after})
            told = (await raw.frame()).body
            assert (await raw.frame()).body == {"type": "caught_up", "cursor": told["after"]}


@pytest.mark.parametrize(
    ("asked", "reason"), [("nonsense", "malformed"), ("", "malformed"), ("abc.1.00000000", "epoch")]
)
async def test_a_cursor_that_is_not_of_this_log_is_a_resync_and_then_silence(
    stage: Stages, asked: str, reason: str
) -> None:
    """Nothing comes until the next `follow`, also of the feed that was going on; from `first` it goes on whole."""
    async with stage() as s:
        alice = await s.user()
        raw = await s.following(alice)
        await raw.say({"id": "r", "do": "follow", "after": asked})
        told = (await raw.frame()).body
        assert (told["type"], told["id"], told["reason"]) == ("resync", "r", reason)
        await s.emit(alice, 2)
        await raw.say({"id": "p", "do": "ping"})
        assert (await raw.frame()).body["type"] == "pong"
        await raw.say({"id": "f", "do": "follow", "after": told["first"]})
        assert (await raw.frame()).body["last_seq"] == 0
        assert await events(raw, 4) == [1, 2, 3, 4]


async def test_another_users_cursor_is_recognised(stage: Stages) -> None:
    """It gets `resync` with the reason `epoch`, the same as one that was made up."""
    async with stage() as s:
        alice, bob = await s.user(), await s.user()
        theirs = (await s.open(bob)).frames[0].body["head"]
        raw = await s.open(alice)
        await raw.say({"id": "f", "do": "follow", "after": theirs})
        assert (await raw.frame()).body["reason"] == "epoch"
        ahead = theirs.split(".")
        mine = raw.frames[0].body["head"].split(".")
        await raw.say({"id": "f", "do": "follow", "after": f"{mine[0]}.{int(ahead[1]) + 5}.{mine[2]}"})
        assert (await raw.frame()).body["reason"] == "future"


async def test_following_again_restarts(stage: Stages) -> None:
    """After the new `following` no event of the earlier feed comes, whatever was on its way."""
    async with stage() as s:
        alice = await s.user()
        await s.emit(alice, 200)
        raw = await s.open(alice)
        for number in range(8):
            await raw.say({"id": f"f{number}", "do": "follow", "after": "0"})
        last = 0
        expected = 0
        while last < 8:
            body = (await raw.frame()).body
            if body["type"] == "following":
                last, expected = last + 1, body["last_seq"]
            elif "seq" in body:
                assert body["seq"] == expected + 1
                expected += 1
        assert await events(raw, 202) == list(range(1, 203))


async def test_two_devices_see_the_same_bytes(stage: Stages) -> None:
    """One replays from the database, one was there: every frame is the same."""
    async with stage() as s:
        alice = await s.user()
        live = await s.following(alice, "0")
        begun = len(live.frames)
        for count in (1, 2, 3, 300):
            await s.emit(alice, count)
        await events(live, 306)
        late = await s.open(await s.sign_in(alice.id))
        await late.say({"id": "f", "do": "follow", "after": live.frames[begun - 1].body["cursor"]})
        assert (await late.frame()).body["type"] == "following"
        await events(late, 306)
        assert [f.payload for f in late.frames[-306:]] == [f.payload for f in live.frames[begun:]]


async def test_a_commit_between_reading_and_registering_is_not_missed(
    stage: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The feed registers before it reads, so a commit that falls in between wakes it."""
    async with stage() as s:
        alice = await s.user()
        await _commit_after_resolve(s, alice, monkeypatch)
        raw = await s.open(alice)
        await raw.say({"id": "f", "do": "follow", "after": "$"})
        assert (await raw.frame()).body["last_seq"] == 2
        assert await events(raw, 1) == [3]


async def test_reading_before_registering_would_miss_it(stage: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above: with the order turned round the event does not come until the slow poll."""
    async with stage() as s:
        alice = await s.user()
        follow = Feed.follow

        async def backwards(self: Feed, cursor: str, frame_id: str) -> bool:
            self._follower.close()
            s.log.follow(alice.id, lambda: None)
            answer = await follow(self, cursor, frame_id)
            await asyncio.sleep(0.2)
            self._follower = s.log.follow(alice.id, self.wake)
            return answer

        raw = await s.open(alice)
        await raw.say({"id": "f", "do": "follow", "after": "$"})
        await raw.until("caught_up")
        monkeypatch.setattr(Feed, "follow", backwards)
        await raw.say({"id": "f", "do": "follow", "after": "$"})
        await raw.until("caught_up")
        await s.emit(alice)
        with pytest.raises(AssertionError, match="in vain for a frame"):
            await raw.frame(1)
        for stream in s.log._streams.values():
            stream.followers.clear()
        s.log._streams.clear()


async def _commit_after_resolve(s: Stage, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = s.log.resolve

    async def then_commit(user_id: str, cursor: str) -> Any:
        found = await resolve(user_id, cursor)
        await s.emit(user)
        return found

    monkeypatch.setattr(s.log, "resolve", then_commit)


async def test_a_store_that_cannot_read_is_asked_again(stage: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket stays, and everything comes when the store is back."""
    async with stage(retry=0.02) as s:
        alice = await s.user()
        await s.emit(alice, 5)
        raw = await s.open(alice)
        failures = iter(range(3))
        read = s.log.read

        async def failing(*args: Any, **kwargs: Any) -> Any:
            if next(failures, None) is not None:
                raise QuintetError("unavailable")
            return await read(*args, **kwargs)

        monkeypatch.setattr(s.log, "read", failing)
        await raw.say({"id": "f", "do": "follow", "after": "0"})
        assert (await raw.frame()).body["type"] == "following"
        assert await events(raw, 7) == list(range(1, 8))


async def test_a_follow_that_the_store_cannot_answer_is_an_error(
    stage: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the frame's id, and the socket lives."""
    async with stage() as s:
        raw = await s.following(await s.user())

        async def failing(*_: Any) -> Any:
            raise QuintetError("unavailable", retry_after=3)

        with monkeypatch.context() as patched:
            patched.setattr(s.log, "resolve", failing)
            await raw.say({"id": "f", "do": "follow", "after": "0"})
            told = (await raw.frame()).body
        assert (told["type"], told["id"], told["code"], told["retry_after"]) == ("error", "f", "unavailable", 3)
        await raw.say({"id": "g", "do": "follow", "after": "0"})
        assert (await raw.frame()).body["id"] == "g"


async def test_a_hole_is_never_passed_over(
    stage: Stages, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If the log ever gave rows with a hole, the socket would end with 4010 and the client read again from its cursor."""
    async with stage() as s:
        alice = await s.user()
        raw = await s.following(alice, "0")
        recent = s.log.recent
        monkeypatch.setattr(s.log, "recent", lambda user_id, after: recent(user_id, after + 1))
        await s.emit(alice, 2)
        assert await raw.closing() == 4010
        assert "a hole in the log" in caplog.text


async def test_what_one_commit_released_is_one_write(stage: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several frames, one write: a system call for each would cost three times as much."""
    async with stage() as s:
        alice = await s.user()
        raw = await s.following(alice)
        writes: list[bytes] = []
        wire = next(iter(s.gateway._parts.connections._all))
        write = wire._write  # type: ignore[attr-defined]

        def noted(_: Any, data: bytes) -> None:
            writes.append(data)
            write(data)

        monkeypatch.setattr(type(wire), "_write", noted)
        await s.emit(alice, 5)
        assert await events(raw, 5) == [3, 4, 5, 6, 7]
        assert len(writes) == 1


async def test_everybodys_events_reach_only_them(stage: Stages) -> None:
    """Interleaved commits of several users: each socket has all of its own and nothing else."""
    async with stage() as s:
        users = [await s.user() for _ in range(8)]
        sockets = [await s.following(user, "0") for user in users]
        for round_ in range(10):
            await asyncio.gather(*(s.emit(user, 2, f"{user.id} {round_}") for user in users))
        for user, raw in zip(users, sockets, strict=True):
            assert await events(raw, 20) == list(range(3, 23))
            for frame in raw.frames[-20:]:
                assert frame.body["data"]["text"].startswith(user.id)


async def test_nothing_is_left_of_sockets_that_are_cut_at_any_moment(stage: Stages) -> None:
    """A cut between any two steps, also in the middle of a replay, a check or a verb, leaks no task, timer or follower."""
    async with stage(heartbeat=0.02) as s:
        alice = await s.user()
        await s.emit(alice, 300)
        for delay in range(24):
            told, raw = await s.ask(alice.token if delay % 2 else None)
            assert told.status == 101
            if not delay % 2:
                await raw.say({"do": "auth", "token": alice.token})
            await raw.say({"id": "f", "do": "follow", "after": "0"})
            await raw.say({"id": "s", "do": "send", "client_id": f"c{delay}", "text": "x"})
            await asyncio.sleep(0.002 * delay)
            await raw.cut()
        await eventually(lambda: s.gateway.snapshot()["sockets"] == 0)
        await eventually(lambda: not s.log._streams)
        s.left_nothing()
        raw = await s.following(alice)
        await within(s.gateway.drain())

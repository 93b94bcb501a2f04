"""Who speaks, word by word: when a token is renewed, what is sent for it, and what a renewal that fails does."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from client.script import Answer, Script, event
from quintet.client import (
    Access,
    Grant,
    Http,
    Received,
    RefusedError,
    Session,
    SignedOutError,
    UnreachableError,
    connect,
    conversation,
    parse_address,
)

pytestmark = pytest.mark.l2
STEP = 10.0
REFRESH = "POST /v1/auth/refresh"


def pair(number: int, expires_in: float = 3600) -> Answer:
    """What a renewal answers."""
    return Answer({"access_token": f"access{number}", "refresh_token": f"refresh{number}", "expires_in": expires_in})


class Kept:
    """A keeping that remembers what it was given, and may hold an attempt that was not answered."""

    def __init__(self, grant: Grant | None) -> None:
        self.grants = [grant]

    def held(self) -> AbstractAsyncContextManager[None]:
        """Nobody else is there."""
        return contextlib.nullcontext()

    def read(self) -> Grant | None:
        """The newest."""
        return self.grants[-1]

    def write(self, grant: Grant) -> None:
        """One more."""
        self.grants.append(grant)


@pytest.fixture
async def calls(script: Script) -> AsyncIterator[Http]:
    """The HTTP side of it."""
    made = Http(parse_address(script.url))
    yield made
    await made.close()


@pytest.mark.l1
@pytest.mark.parametrize(("life", "left", "good"), [(10, 1.5, True), (10, 0.5, False), (900, 6, True), (900, 4, False)])
def test_a_token_close_to_its_end_is_not_sent(life: float, left: float, good: bool) -> None:
    """Five seconds before its end, or a tenth of its life where that is less; one whose end nobody knows is sent."""
    assert Access("a", time.monotonic() + left, life).good is good
    assert Access("a").good


async def test_an_attempt_that_was_not_answered_is_repeated_as_it_was(script: Script, calls: Http) -> None:
    """A process died between asking and keeping: the next one asks with the kept attempt, so that the answer is the same."""
    script.answers[REFRESH] = [pair(2)]
    kept = Kept(Grant("refresh1", "attempt1"))
    access = await Session(keeping=kept).access(calls)
    assert script.asked[REFRESH] == [("", {"refresh_token": "refresh1", "attempt_id": "attempt1"})]
    assert access.token == "access2"
    assert kept.grants == [Grant("refresh1", "attempt1"), Grant("refresh2")]


async def test_the_attempt_is_kept_before_it_is_made_and_through_refusals(script: Script, calls: Http) -> None:
    """What is asked for a second time, after a `busy`, is the same attempt, which was kept before the first."""
    script.answers[REFRESH] = [Answer.problem(503, "busy", "Retry-After: 1\r\n"), pair(2)]
    kept = Kept(Grant("refresh1"))
    began = time.monotonic()
    await Session(keeping=kept).access(calls)
    assert time.monotonic() - began >= 0.99
    first, second = script.asked[REFRESH]
    assert first == second
    assert [grant and grant.attempt_id for grant in kept.grants] == [None, first[1]["attempt_id"], None]


async def test_a_good_token_is_used_until_it_is_said_to_be_stale(script: Script, calls: Http) -> None:
    """Asked twice, one renewal; a token that was refused is not given again, and neither is one that is over."""
    script.answers[REFRESH] = [pair(1), pair(2), pair(3, 0), pair(4)]
    session = Session("refresh0")
    assert [(await session.access(calls)).token for _ in range(3)] == ["access1"] * 3
    assert (await session.access(calls, stale="access0")).token == "access1"
    assert (await session.access(calls, stale="access1")).token == "access2"
    assert (await session.access(calls, stale="access2")).token == "access3"
    assert (await session.access(calls)).token == "access4"
    assert [body["refresh_token"] for _, body in script.asked[REFRESH]] == [f"refresh{number}" for number in range(4)]


async def test_a_token_that_the_server_does_not_take_is_renewed_before_its_end(script: Script) -> None:
    """401 to a token that is still good by the clock: the session gives another one, and the call is answered."""
    script.answers[REFRESH] = [pair(1), pair(2)]
    script.answers["GET /v1/agents"] = [Answer.problem(401, "invalid_token"), Answer({"items": []})]
    async with connect(script.url, session=Session("refresh0"), patience=5) as client:
        assert await asyncio.wait_for(client.agents(), STEP) == []
    assert [body["refresh_token"] for _, body in script.asked[REFRESH]] == ["refresh0", "refresh1"]


async def test_whoever_leaves_in_the_middle_of_a_renewal_keeps_its_answer(script: Script) -> None:
    """Given up while the server renews: the new refresh token is kept all the same, for the old one is used up."""
    script.answers[REFRESH] = [pair(2)]
    script.late[REFRESH] = 0.3
    kept = Kept(Grant("refresh1"))
    entering = asyncio.create_task(connect(script.url, session=Session(keeping=kept)).__aenter__())
    async with asyncio.timeout(STEP):
        while not script.asked[REFRESH]:
            await asyncio.sleep(0.01)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert kept.grants[-1] == Grant("refresh2")


@pytest.mark.parametrize(
    ("answer", "fault", "times"),
    [
        (Answer.problem(401, "refresh_reused"), SignedOutError, 1),
        (Answer.problem(403, "forbidden"), RefusedError, 1),
        (Answer.problem(503, "busy", "Retry-After: 60\r\n"), RefusedError, 1),
    ],
)
async def test_a_renewal_that_is_refused_for_good_is_not_repeated(
    script: Script, calls: Http, answer: Answer, fault: type[Exception], times: int
) -> None:
    """401 is the end of the sign-in, with its reason; another refusal is what it is; a wait beyond the time of a renewal is not begun."""
    script.answers[REFRESH] = [answer]
    kept = Kept(Grant("refresh1"))
    with pytest.raises(fault) as told:
        await asyncio.wait_for(Session(keeping=kept).access(calls), 5)
    assert type(told.value) is fault
    assert len(script.asked[REFRESH]) == times
    assert {grant and grant.refresh_token for grant in kept.grants} == {"refresh1"}


async def test_a_server_that_is_away_is_asked_three_times(script: Script, calls: Http) -> None:
    """A lost answer is asked for again; a dead server is said to be dead soon."""
    await script.__aexit__(None, None, None)
    began = time.monotonic()
    with pytest.raises(UnreachableError):
        await Session("refresh1").access(calls)
    assert 0.125 <= time.monotonic() - began < 5


async def test_a_signed_out_keeping_asks_nobody(script: Script, calls: Http) -> None:
    """Nothing is kept any more: signed out, without a request."""
    with pytest.raises(SignedOutError):
        await Session(keeping=Kept(None)).access(calls)
    assert not script.asked[REFRESH]
    for wrong in ({}, {"refresh_token": "r", "keeping": Kept(None)}):
        with pytest.raises(TypeError):
            Session(**wrong)  # type: ignore[arg-type]


async def test_a_socket_is_renewed_before_its_end_and_when_the_server_says_so(script: Script) -> None:
    """A minute before the end, in-band, with a new token, once; `auth_expiring` brings it forward; a renewal that fails closes nothing."""
    script.answers[REFRESH] = [pair(1), pair(2), pair(3), Answer.problem(403, "forbidden")]
    async with connect(script.url, session=Session("refresh0"), patience=5) as client:
        items = client.follow("e.0.d")
        got = asyncio.ensure_future(anext(items))
        seat = await script.seat()
        await seat.follow(expires_in=200)
        with pytest.raises(TimeoutError):
            await seat.hear("auth", within=0.3)
        for number in (2, 3):
            await seat.say("auth_expiring", expires_in=50)
            renewal = await seat.hear("auth")
            assert renewal["token"] == f"access{number}"
            await seat.say("result", id=renewal["id"], expires_in=3600)
            await seat.say("heartbeat", head="e.0.d")
            await seat.hear("ack")  # so it has been taken in
            with pytest.raises(TimeoutError):
                await seat.hear("auth", within=0.3)
        await seat.say("auth_expiring", expires_in=50)
        async with asyncio.timeout(STEP):
            while len(script.asked[REFRESH]) < 4:
                await asyncio.sleep(0.01)
        await seat.tell(event(1))
        assert isinstance(await asyncio.wait_for(got, STEP), Received)
        assert script.waiting == 0
        await items.aclose()


async def test_a_short_life_is_renewed_at_its_half(script: Script) -> None:
    """A token of two seconds is renewed after one, not at once and not too late."""
    script.answers[REFRESH] = [pair(1, 2), pair(2)]
    async with connect(script.url, session=Session("refresh0"), patience=5) as client:
        asking = asyncio.create_task(client.cancel("run_1"))
        seat = await script.seat()
        await seat.follow(expires_in=2)
        await seat.hear("cancel")
        began = time.monotonic()
        renewal = await seat.hear("auth")
        assert 0.8 <= time.monotonic() - began < 2
        await seat.say("result", id=renewal["id"], expires_in=3600)
        asking.cancel()


async def test_a_renewal_that_reached_nobody_is_tried_again(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the socket lives and the door does not answer, it is tried again; no renewal outlives its socket."""
    monkeypatch.setattr(conversation, "_AGAIN", 0.1)
    asked = 0

    async def source() -> str:
        nonlocal asked
        asked += 1
        if asked in (3, 4):
            raise UnreachableError("away")
        return f"token{asked}"

    async with connect(script.url, token=source, patience=5) as client:
        asking = asyncio.create_task(client.cancel("run_1"))
        seat = await script.seat()
        await seat.follow(expires_in=30)
        heard = [await seat.hear(), await seat.hear()]
        (renewal,) = [one for one in heard if one["do"] == "auth"]
        assert (renewal["token"], asked) == ("token5", 5)
        await seat.say("result", id=renewal["id"], expires_in=61)
        await seat.close(1012)
        other = await script.seat()
        await other.follow()
        before = asked
        await asyncio.sleep(1.2)  # the time itself: the renewal of the socket before would be due
        assert asked == before
        asking.cancel()


async def test_an_error_of_nothing_that_was_asked_ends_nothing(script: Script) -> None:
    """An `error` without an id, or with one that nobody waits for, is passed over; whoever waits to follow is told what ended it."""
    async with connect(script.url, token="tok", patience=5) as client:
        items = client.follow("e.0.d")
        got = asyncio.ensure_future(anext(items))
        seat = await script.seat()
        await seat.follow()
        await seat.say("error", code="bad_message", message="What?")
        await seat.say("error", id="99", code="busy", message="Busy.")
        await seat.say("result", id="98", state="running")
        await seat.tell(event(1))
        assert isinstance(await asyncio.wait_for(got, STEP), Received)
        await items.aclose()
        running = asyncio.create_task(client.run("hello").finished())
        shared = await script.seat()
        await shared.ready()
        await shared.close(4501, "session_revoked")
        with pytest.raises(SignedOutError):
            await asyncio.wait_for(running, STEP)

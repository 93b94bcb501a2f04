"""Calls and sockets that fail: what is tried again, for how long, what is final, and what no server may make a client do."""

import asyncio
import time

import pytest

from client.script import Answer, Script, event
from quintet.client import (
    Client,
    Http,
    Received,
    RefusedError,
    SignedOutError,
    UnreachableError,
    WireError,
    connect,
    http,
    line,
    parse_address,
)
from quintet.client.door import Trial
from quintet.client.faults import LineLostError
from quintet.client.line import _Pace

pytestmark = pytest.mark.l2
STEP = 10.0
AGENTS = "GET /v1/agents"
BUSY = Answer.problem(503, "busy", "Retry-After: 1\r\n")
NONE = Answer({"items": []})


class Tokens:
    """A source of access tokens, a new one each time."""

    def __init__(self) -> None:
        self.given = 0

    async def __call__(self) -> str:
        self.given += 1
        return f"token{self.given}"


async def test_a_read_that_is_refused_for_a_moment_waits_as_long_as_it_is_told(script: Script, client: Client) -> None:
    """`Retry-After` is kept; so are a gateway's 502 and a 500 of ours. What is no moment's refusal is final."""
    script.answers[AGENTS] = [BUSY, NONE]
    began = time.monotonic()
    assert await asyncio.wait_for(client.agents(), STEP) == []
    assert time.monotonic() - began >= 0.99
    gateway = Answer(b"<html>", 502, "text/html")
    script.answers[AGENTS] = [gateway, Answer.problem(500, "internal"), NONE]
    assert await asyncio.wait_for(client.agents(), STEP) == []
    script.answers[AGENTS] = [Answer.problem(404, "not_found"), NONE]
    with pytest.raises(RefusedError) as told:
        await asyncio.wait_for(client.agents(), STEP)
    assert (told.value.code, told.value.status, told.value.message) == ("not_found", 404, "It is not_found.")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"<html>", 200, "text/html"),
        Answer(b"<html>", 404, "text/html"),
        Answer(b"{", 404, "application/problem+json"),
        Answer(b"[1]", 400, "application/problem+json"),
        Answer({"code": 7}, 400, "application/problem+json"),
        Answer({"code": "busy"}, 404),
    ],
)
async def test_an_answer_in_other_words_is_no_such_server(script: Script, client: Client, answer: Answer) -> None:
    """What is neither JSON of ours nor a problem with its code is `WireError`, at once, and asked for once."""
    script.answers[AGENTS] = [answer]
    with pytest.raises(WireError):
        await asyncio.wait_for(client.agents(), STEP)
    assert len(script.asked[AGENTS]) == 1


async def test_an_answer_has_a_largest_size(script: Script, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may not fill the memory of a client: one byte more than the bound is an error, the bound itself is not."""
    monkeypatch.setattr(http, "_MOST_BYTES", 64)
    script.answers[AGENTS] = [Answer(b'{"items":[]}' + b" " * 52)]
    assert await asyncio.wait_for(client.agents(), STEP) == []
    script.answers[AGENTS] = [Answer(b'{"items":[]}' + b" " * 53)]
    with pytest.raises(WireError, match="larger than 64"):
        await asyncio.wait_for(client.agents(), STEP)


async def test_a_token_that_is_not_taken_is_renewed_once(script: Script) -> None:
    """401 gets one other token, for calls and for sockets; 401 to that one too is the end of the sign-in, and no third is asked for."""
    denied = Answer.problem(401, "token_expired")
    script.answers[AGENTS] = [denied, NONE]
    script.upgrades = [denied]
    async with connect(script.url, token=(tokens := Tokens()), patience=5) as client:
        assert await asyncio.wait_for(client.agents(), STEP) == []
        items = client.follow("e.0.d")
        first = asyncio.ensure_future(anext(items))
        seat = await script.seat()
        await seat.follow()
        await seat.tell(event(1))
        await asyncio.wait_for(first, STEP)
        await items.aclose()
        script.answers[AGENTS] = [denied]
        before, given = len(script.asked[AGENTS]), tokens.given
        with pytest.raises(SignedOutError) as told:
            await asyncio.wait_for(client.agents(), STEP)
        assert told.value.code == "token_expired"
        assert (len(script.asked[AGENTS]) - before, tokens.given - given) == (2, 2)


async def test_a_session_that_was_ended_is_not_knocked_for_again(script: Script) -> None:
    """4501 at the door: no other token is asked for, and no other socket."""
    async with connect(script.url, token=(tokens := Tokens()), patience=5) as client:
        before = tokens.given
        asking = asyncio.create_task(client.cancel("run_1"))
        seat = await script.seat()
        await seat.close(4501, "session_revoked")
        with pytest.raises(SignedOutError):
            await asyncio.wait_for(asking, STEP)
    assert (tokens.given - before, script.waiting) == (1, 0)


async def test_patience_begins_anew_with_each_success(script: Script) -> None:
    """Sockets that live for a moment and bring an event each are gone on with for longer than the patience, and waits stay short.

    Nothing of a socket that was lost is left at work.
    """
    working: list[int] = []
    async with connect(script.url, token="tok", patience=1.0) as client:
        items = client.follow("e.0.d")
        began = time.monotonic()
        for number in range(1, 7):
            got = asyncio.ensure_future(anext(items))
            seat = await script.seat()
            await seat.follow(number - 1)
            await seat.tell(event(number))
            assert isinstance(await asyncio.wait_for(got, STEP), Received)
            await asyncio.sleep(0.25)  # the time itself
            working.append(len(asyncio.all_tasks()))
            await seat.close(1012)
        assert time.monotonic() - began > 1.0
        assert len(set(working)) == 1, working
        await items.aclose()


async def test_patience_ends(script: Script) -> None:
    """Sockets that bring nothing are a server that is not there: after the patience it is `UnreachableError`, with what was wrong."""
    async with connect(script.url, token="tok", patience=0.6) as client:
        script.upgrades = [Answer(b"<html>", 502, "text/html")] * 50
        with pytest.raises(UnreachableError, match="gave up after"):
            await asyncio.wait_for(client.cancel("run_1"), STEP)
        assert len(script.upgrades) < 50


async def test_patience_is_counted_from_the_first_failure() -> None:
    """Waits that are each shorter than the patience add up to it; a success begins anew."""
    trial, lost = Trial(0.25), LineLostError("cut")
    for _ in range(2):
        await trial.failed(lost, 0.1)
    with pytest.raises(UnreachableError, match="gave up after 0 s: cut"):
        await trial.failed(lost, 0.1)
    trial.worked()
    await trial.failed(lost, 0.1)


async def test_silence_is_the_end_of_a_socket(script: Script, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection on which nothing comes is half open: another one goes on from the same cursor."""
    monkeypatch.setattr(line, "SILENCE", 0.4)
    items = client.follow("e.0.d")
    got = asyncio.ensure_future(anext(items))
    seat = await script.seat()
    await seat.follow()
    await seat.tell(event(1))
    await asyncio.wait_for(got, STEP)
    got = asyncio.ensure_future(anext(items))
    seat = await script.seat()
    assert (await seat.follow(1))["after"] == "e.1.d"
    await seat.tell(event(2))
    await asyncio.wait_for(got, STEP)
    await items.aclose()


async def test_who_talked_too_much_is_calm_for_a_while(
    script: Script, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 4005 the next socket is not opened at once; after any other code it may be."""
    monkeypatch.setattr(line, "_CALM", 0.8)
    asking = asyncio.create_task(client.cancel("run_1"))
    seat = await script.seat()
    await seat.follow()
    began = time.monotonic()
    await seat.close(4005, "rate_limited")
    await script.seat()
    assert time.monotonic() - began >= 0.79
    asking.cancel()


@pytest.mark.l1
async def test_frames_are_paced() -> None:
    """Sixteen at once, then ten a second: as many as a server takes, with room for acks and renewals; what was not used is not saved up."""
    pace = _Pace()
    began = time.monotonic()
    for _ in range(16):
        await pace.turn()
    at_once = time.monotonic() - began
    for _ in range(4):
        await pace.turn()
    assert time.monotonic() - began >= 0.29
    assert at_once < 0.29


async def test_what_is_on_this_machine_is_asked_without_a_proxy(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that the environment names is for other machines: neither calls nor sockets to this one go there."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "WS_PROXY", "ws_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with connect(script.url, token="tok", patience=0.5) as client:
        asking = asyncio.create_task(client.cancel("run_1"))
        seat = await script.seat()
        await seat.follow()
        await seat.hear("cancel")
        asking.cancel()


async def test_an_id_is_one_step_of_a_path(script: Script, client: Client) -> None:
    """A thread's id cannot lead a call to another route."""
    script.answers["GET /v1/threads/..%2F..%2Fauth%2Fsessions%3Fx/messages"] = [Answer({"items": []})]
    assert (await asyncio.wait_for(client.messages("../../auth/sessions?x", limit=7), STEP))["items"] == []
    ((query, _),) = script.asked["GET /v1/threads/..%2F..%2Fauth%2Fsessions%3Fx/messages"]
    assert query == "limit=7"


async def test_a_call_without_a_token_sends_none(script: Script) -> None:
    """`Http` knows no token of its own, and an empty answer is None."""
    script.answers["POST /v1/auth/logout"] = [Answer(b"", 204)]
    calls = Http(parse_address(script.url))
    assert await calls.call("POST", "/v1/auth/logout") is None
    await calls.close()


async def test_a_refusal_carries_what_one_goes_on_with(script: Script) -> None:
    """`pending_token` and its time, where they are what they should be, and no other member of the answer."""
    problem = {"code": "second_factor_required", "detail": "Say the code.", "pending_token": "p", "request_id": "r"}
    script.answers["POST /v1/auth/login"] = [
        Answer({**problem, "expires_in": kind}, 401, "application/problem+json") for kind in (300, [300])
    ]
    calls = Http(parse_address(script.url))
    for more in ({"pending_token": "p", "expires_in": 300}, {"pending_token": "p"}):
        with pytest.raises(RefusedError) as told:
            await calls.call("POST", "/v1/auth/login", body={})
        assert (told.value.code, told.value.message, dict(told.value.more or {})) == (
            "second_factor_required",
            "Say the code.",
            more,
        )
    await calls.close()

"""What a stream may cost, and what it may not: slow readers, silent peers, comments, revocations nobody was woken for."""

import asyncio
import time
from collections.abc import Callable

import pytest
from starlette.types import Receive, Scope, Send

from delivery import stage as stages
from delivery.stage import Stage, User
from quintet.delivery.sse import EventStream
from quintet.edge.peers import TRANSPORT
from quintet.errors import QuintetError
from quintet.testing.sockets.raw import RawSocket
from quintet.testing.sockets.stream import EVENTS
from support.kernel import eventually, within

pytestmark = pytest.mark.l2

Stages = Callable[..., Stage]


async def test_a_quiet_stream_has_comments_and_nothing_else(stage: Stages) -> None:
    """A comment at every period, complete with its blank line, so that a browser's reader is not disturbed."""
    async with stage(comment=0.05) as here:
        user = await here.user()
        one = await here.stream(user)
        await one.step("three comments", lambda: sum(block.comment for block in one.blocks) >= 3 or None)
        assert [block.comment for block in one.blocks].count(False) == 1


async def test_who_reads_nothing_is_cut_and_costs_nothing(stage: Stages) -> None:
    """The feed stands still for a reader that takes nothing, others go on, and the connection is dropped; later all is complete."""
    async with stage(
        slow_after=4
    ) as here:  # on a machine that is busy the readers who read may stand still for a while, too
        user = await here.user()
        assert user.run is not None
        run, kernel = user.run, here.kernel
        most = 0

        def cut() -> bool:
            nonlocal most
            most = max(most, 0, *_held(here))
            return here.gateway.snapshot().get("closed_slow_consumer", 0) == 1

        await _sleeper(here, user)
        reader = await here.stream(user, "?after=0")
        assert len(_held(here)) == 2
        for _ in range(60):
            await kernel.append(run, *(kernel.thought(run, "x" * 8000) for _ in range(20)))
            await reader.block("agent_thinking", 1)
            cut()
        await eventually(cut, 30)
        assert 0 < most <= 3 * 64 * 1024
        await reader.block("agent_thinking", 1200, 60)
        late = await here.stream(user, "?after=0")
        await late.block("agent_thinking", 1200, 60)
        assert [event.raw for event in late.events] == [event.raw for event in reader.events]


async def _tell(here: Stage, user: User, commits: int) -> None:
    assert user.run is not None
    for _ in range(commits):
        await here.kernel.append(user.run, *(here.kernel.thought(user.run, "x" * 8000) for _ in range(10)))


def _held(here: Stage) -> list[int]:
    """The bytes that the server holds for each stream."""
    return [one._size for one in here.gateway._parts.connections.everyone() if isinstance(one, EventStream)]


async def _sleeper(here: Stage, user: User) -> RawSocket:
    """Somebody who has asked for the stream and reads only what is asked for."""
    raw = await here.peers.raw(here, EVENTS, token=user.token, upgrade=False, receive_buffer=4096, ahead=64 * 1024)
    assert raw.handshake.status == 200
    return raw


async def test_a_slow_reader_that_takes_something_stays(stage: Stages) -> None:
    """A little every now and then is enough: the stream lives, however far behind it is."""
    async with stage(slow_after=0.5) as here:
        user = await here.user()
        one = await _sleeper(here, user)
        telling = asyncio.create_task(_tell(here, user, 40))
        until = time.monotonic() + 2
        while time.monotonic() < until or not telling.done():
            await one.some(20_000)
            await asyncio.sleep(0.05)
        await telling
        assert here.gateway.snapshot().get("closed_slow_consumer", 0) == 0


async def test_a_thin_line_is_no_dead_one(stage: Stages) -> None:
    """A few bytes at a time through a small window, far less than the kernel hands on at once: nobody is cut who takes any byte in time."""
    async with stage(slow_after=2) as here:
        user = await here.user()
        await _tell(here, user, 20)
        await here.sip(
            f"GET {EVENTS}?after=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {user.token}\r\n\r\n".encode(),
            3.5,
        )
        assert here.gateway.snapshot().get("closed_slow_consumer", 0) == 0


async def test_who_takes_nothing_of_little_is_cut(stage: Stages) -> None:
    """Nor do comments reach who is gone without a word or reads no more, even where all of it fits into the kernel: half a minute, here less."""
    async with stage(slow_after=0.6, comment=0.1) as here:
        user = await here.user()
        reader, sleeper = await here.stream(user), await _sleeper(here, user)
        await sleeper.pause()
        assert user.run is not None
        await here.kernel.append(user.run, *(here.kernel.thought(user.run, "x" * 500) for _ in range(20)))
        await eventually(lambda: here.gateway.snapshot().get("closed_slow_consumer", 0) == 1)
        await reader.block("agent_thinking", 20)
        await eventually(lambda: here.gateway.snapshot()["streams"] == 1)


async def test_a_revocation_nobody_was_woken_for_still_ends_the_stream(stage: Stages) -> None:
    """A sign-out between the check of the token and the registration is seen; the answer is 401 and no stream."""
    async with stage() as here:
        user = await here.user()

        async def sign_out() -> None:
            here.before_check = None
            await here.sign_out(user)

        here.before_check = sign_out
        refusal = await here.stream_refused(user, "?after=0")
        assert (refusal.status, refusal.problem["code"]) == (401, "session_revoked")


async def test_a_store_that_cannot_answer_is_503(stage: Stages) -> None:
    """Before the first byte a refusal is a refusal; nothing is left counted."""
    async with stage() as here:
        user = await here.user()
        real = here.log.resolve

        async def refuse(user_id: str, asked: str) -> object:
            raise QuintetError("unavailable", retry_after=5)

        here.log.resolve = refuse  # type: ignore[method-assign, assignment]
        refusal = await here.stream_refused(user)
        assert (refusal.status, refusal.headers["retry-after"]) == (503, "5")
        here.log.resolve = real  # type: ignore[method-assign]


async def test_a_peer_that_leaves_gives_everything_back(stage: Stages) -> None:
    """Cut, closed or half-closed: no stream counted, no follower registered, no task alive (the stage looks when it ends)."""
    async with stage() as here:
        user = await here.user()
        streams = [await here.stream(user) for _ in range(5)]
        for one in streams:
            await one.first()
        assert here.gateway.snapshot()["streams"] == 5
        for one in streams[:3]:
            await one.cut()
        for one in streams[3:]:
            await one.close()
        await eventually(lambda: here.gateway.snapshot()["streams"] == 0)
        assert here.gateway.snapshot()["users"] == 0


async def test_a_peer_that_has_gone_before_its_stream_begins_is_no_failure(
    stage: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut while the request was on its way to its route: everything is given back, and nothing is raised for a connection that is closed."""
    serve, ended = stages._plain, asyncio.get_running_loop().create_future()

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"][TRANSPORT].abort()
        while (await receive())["type"] != "http.disconnect":
            pass
        try:
            await serve(scope, receive, send)
            ended.set_result(None)
        except Exception as failure:
            ended.set_exception(failure)

    monkeypatch.setattr(stages, "_plain", late)
    async with stage() as here:
        user = await here.user()
        _, writer = await here.connect()
        writer.write(f"GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {user.token}\r\n\r\n".encode())
        await within(ended)
        assert (here.gateway.snapshot()["streams"], here.gateway.snapshot()["users"]) == (0, 0)


async def test_deleted_events_are_one_block(stage: Stages) -> None:
    """A reader inside a range gets it cut; the block's id is a cursor that goes on."""
    from quintet.chat.deleting import delete_thread
    from quintet.scope import UserScope

    async with stage() as here:
        user = await here.user()
        assert user.run is not None
        thread_id, moment = user.run.thread_id, here.kernel.moment()
        await here.kernel.append(user.run, *(here.kernel.thought(user.run) for _ in range(5)))
        cursor = (await here.kernel.story(user.id))[2].cursor
        await within(delete_thread(here.kernel.store, UserScope(user.id), thread_id, moment, most_running=5))
        one = await here.stream(user, last_id=cursor)
        await one.block("thread_deleted", 2)
        stands, said = one.events
        assert (stands["first_seq"], stands["seq"] + 1) == (4, said["seq"])
        again = await here.stream(user, last_id=one.blocks[-2].id)
        await again.block("thread_deleted")
        assert [event.raw for event in again.events] == [said.raw]

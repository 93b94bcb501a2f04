"""One run: sent, read to its ending, stopped, refused, repeated."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from quintet.client import (
    ClientError,
    RefusedError,
    Run,
    SignedOutError,
    UnansweredError,
    UnfinishedError,
    UnreachableError,
    WireError,
    connect,
)
from support.effects import effect, effects
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3
STEP = 30.0


async def test_a_run_ends_with_its_ending_and_its_text(world: World) -> None:
    """The events of one run and of no other, from `message_accepted` to the final one; `text` is what was said."""
    alice = await world.user()
    async with connect(world.server.url, token=alice.access_token) as client:
        runs = [client.run(f"number {n}", agent="echo") for n in range(5)]
        endings = await asyncio.wait_for(asyncio.gather(*(run.finished() for run in runs)), STEP)
        assert [run.text for run in runs] == [f"number {n}" for n in range(5)]
        assert all(ending.final and ending.run_id == run.run_id for ending, run in zip(endings, runs, strict=True))
        assert [event async for event in runs[0]] == [], "after the ending there is nothing"


async def test_a_conversation_stays_in_its_thread(world: World) -> None:
    """With `thread_id` the agent remembers; `threads` and `messages` show what was said."""
    alice = await world.user()
    async with connect(world.server.url, token=alice.access_token) as client:
        first = client.run("remember the violin", agent="echo")
        await asyncio.wait_for(first.finished(), STEP)
        thread = (await first.accepted()).thread_id
        second = client.run("what was it?", thread_id=thread, agent="rememberer")
        await asyncio.wait_for(second.finished(), STEP)
        assert "remember the violin" in second.text
        assert [one["id"] for one in (await client.threads())["items"]] == [thread]
        said = [one["text"] for one in (await client.messages(thread))["items"]]
        assert said == ["remember the violin", "remember the violin", "what was it?", second.text]
        assert (await client.snapshot())["runs"] == []
        assert "echo" in {one["name"] for one in await client.agents()}


async def test_a_slow_reader_of_a_run_gets_all_of_it(world: World) -> None:
    """More events than are kept for a reader who stands still: the rest is read later and at once, each once, in order."""
    alice = await world.user()
    async with connect(world.server.url, token=alice.access_token) as client:
        run = client.run('{"steps": 320, "pause": 0}', agent="stepper")
        await run.accepted()
        while (await alice.snapshot())["runs"]:
            await asyncio.sleep(0.05)
        async with asyncio.timeout(15):
            places = [event.run_seq async for event in run]
    assert len(places) > 1200
    assert places == list(range(1, len(places) + 1))


async def test_stopping_a_run_from_its_reader(world: World) -> None:
    """`cancel` while a tool runs: the tool is cancelled, the reader sees the ending `agent_cancelled`."""
    alice = await world.user()
    async with connect(world.server.url, token=alice.access_token) as client:
        run = client.run('{"mark": "client-stop"}', agent="slow_tool")
        async with asyncio.timeout(STEP):
            async for event in run:
                if event.type == "tool_executing":
                    assert await run.cancel() in ("running", "cancelled")
        assert run.ending is not None
        assert (run.ending.type, run.ending.data["reason"]) == ("agent_cancelled", "user")
    await effect(world.server, "cancelled", "client-stop")
    assert effects(world.server, "after client-stop") == []


async def test_the_same_client_id_is_the_same_run(world: World) -> None:
    """A repetition, from another client even, reads the first run whole; with another text it is a conflict."""
    alice = await world.user()
    async with connect(world.server.url, token=alice.access_token) as client:
        first = client.run("once", agent="echo", client_id="mine")
        await asyncio.wait_for(first.finished(), STEP)
    async with connect(world.server.url, token=alice.access_token) as client:
        again = client.run("once", agent="echo", client_id="mine")
        await asyncio.wait_for(again.finished(), STEP)
        assert (again.run_id, again.text) == (first.run_id, "once")
        with pytest.raises(RefusedError) as refusal:
            await client.send("twice", agent="echo", client_id="mine")
        assert refusal.value.code == "conflict"


@pytest.mark.parametrize(
    ("text", "agent", "code"),
    [
        ("hello", "nobody", "unknown_agent"),
        ("é" * 16_385, "echo", "too_long"),
        ("\x01" * 20_000, "echo", "too_long"),
        ("lone \ud800", "echo", "bad_message"),
    ],
)
async def test_a_refusal_has_its_code(world: World, text: str, agent: str, code: str) -> None:
    """What the server would refuse, or close the socket for, is a `RefusedError`; the client is as good as before."""
    alice = await world.user()
    async with connect(world.server.url, token=alice.access_token) as client:
        with pytest.raises(RefusedError) as refusal:
            await asyncio.wait_for(client.run(text, agent=agent).finished(), STEP)
        assert refusal.value.code == code
        assert (await asyncio.wait_for(client.run("fine", agent="echo").finished(), STEP)).final


async def test_many_messages_at_once_are_paced_not_refused(world: World) -> None:
    """Forty requests at once, more than a socket takes: all answered, none lost, the socket not closed for its rate."""
    alice = await world.user()
    async with connect(world.server.url, token=alice.access_token) as client:
        run = await client.send("once", agent="echo", client_id="same")
        answers = await asyncio.wait_for(asyncio.gather(*(client.cancel(run.run_id) for _ in range(40))), STEP)
    assert len(answers) == 40


async def test_events_that_end_without_an_ending_are_an_error(server_factory: Factory) -> None:
    """The log was replaced by one that does not know the run: its reader gets `UnfinishedError`, never a quiet end."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        empty = server.database(server.home / "before")
        async with connect(server.url, token=alice.access_token) as client:
            run = client.run('{"seconds": 60, "mark": "lost"}', agent="slow_tool")
            reading = asyncio.create_task(_until_the_tool(run))
            await asyncio.wait_for(reading, STEP)
            await asyncio.to_thread(server.kill)
            for old in server.data.glob(f"{empty.name}*"):
                old.unlink()
            for kept in empty.parent.iterdir():
                (server.data / kept.name).write_bytes(kept.read_bytes())
            await asyncio.to_thread(server.start)
            with pytest.raises(UnfinishedError):
                await asyncio.wait_for(run.finished(), STEP)


async def _until_the_tool(run: Run) -> None:
    async for event in run:
        if event.type == "tool_executing":
            return


async def test_nobody_answers(server_factory: Factory) -> None:
    """No server at first: `UnreachableError` at once, with the address and the system's words. Gone later: after the patience."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        async with connect(server.url, token=alice.access_token, patience=1.5) as client:
            await asyncio.wait_for(client.run("here", agent="echo").finished(), STEP)
            server.kill()
            with pytest.raises((UnreachableError, UnansweredError)):
                await asyncio.wait_for(client.send("gone", agent="echo"), STEP)
    with pytest.raises(UnreachableError, match=r"localhost:\d+ does not answer \(connection refused\)"):
        async with connect(server.url, token="any"):
            pass


@contextlib.asynccontextmanager
async def _web_server() -> AsyncIterator[str]:
    """Somebody else's server."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone"
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}"


async def test_a_wrong_token_and_a_wrong_server(world: World) -> None:
    """A token that does not count is `SignedOutError`; what is no such server is `WireError`; both at the entry, all `ClientError`s."""
    with pytest.raises(SignedOutError):
        async with connect(world.server.url, token="nonsense"):
            pass
    async with _web_server() as url:
        with pytest.raises(WireError, match="Quintet server"):
            async with connect(url, token="nonsense"):
                pass
    assert issubclass(SignedOutError, ClientError)
    with pytest.raises(TypeError):
        connect(world.server.url)

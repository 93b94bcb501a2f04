"""The opening handshake beside HTTP on one port: what a client may do with a connection, and what must not leak through it."""

import asyncio
import json
from collections.abc import Callable

import pytest

from delivery.stage import Stage
from delivery.stage import upgrade_request as request
from quintet.testing.wire.frames import TEXT, frame_bytes

pytestmark = pytest.mark.l2

Stages = Callable[..., Stage]


async def head(reader: asyncio.StreamReader) -> str:
    """The head of an answer."""
    return (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()


async def said(reader: asyncio.StreamReader) -> dict[str, object]:
    """The next text frame."""
    first, second = await asyncio.wait_for(reader.readexactly(2), 5)
    assert first == 0x80 | TEXT, (first, second)
    size = second if second < 126 else int.from_bytes(await reader.readexactly(2), "big")
    return dict(json.loads(await asyncio.wait_for(reader.readexactly(size), 5)))


async def test_http_beside_the_socket(stage: Stages) -> None:
    """The same port answers both."""
    async with stage() as s:
        await s.open(await s.user())
        reader, writer = await s.connect()
        writer.write(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert " 200 " in await head(reader)
        assert await reader.readexactly(13) == b"/hello nobody"


async def test_a_request_may_arrive_byte_by_byte(stage: Stages) -> None:
    """As over a bad network, and with what Firefox says in `Connection`."""
    async with stage() as s:
        reader, writer = await s.connect()
        for byte in request((await s.user()).token, "keep-alive, Upgrade"):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert " 101 " in await head(reader)
        assert (await said(reader))["type"] == "ready"


@pytest.mark.parametrize("in_header", [True, False], ids=["credential in the header", "credential in the first frame"])
async def test_frames_that_come_with_the_request_are_not_lost(stage: Stages, in_header: bool) -> None:
    """A client that does not wait for the 101 is served: frames wait until it is known whose they are."""
    async with stage() as s:
        alice = await s.user()
        frames = b"" if in_header else frame_bytes(TEXT, json.dumps({"do": "auth", "token": alice.token}).encode())
        frames += frame_bytes(TEXT, b'{"id":"1","do":"ping"}') + frame_bytes(TEXT, b'{"id":"2","do":"ping"}')
        reader, writer = await s.connect()
        writer.write(request(alice.token if in_header else None) + frames[:-5])
        assert " 101 " in await head(reader)
        writer.write(frames[-5:])
        assert [(await said(reader)).get("id") for _ in range(3)] == [None, "1", "2"]


async def test_a_connection_that_spoke_for_another_before_speaks_for_the_newcomer_only(stage: Stages) -> None:
    """Keep-alive: an HTTP request as Alice, then the upgrade as Bob, on one connection. Only Bob's log is seen."""
    async with stage() as s:
        alice, bob = await s.user(), await s.user()
        reader, writer = await s.connect()
        writer.write(f"GET /me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {alice.token}\r\n\r\n".encode())
        assert " 200 " in await head(reader)
        await reader.readexactly(len(f"/me Bearer {alice.token}"))
        writer.write(request(bob.token) + frame_bytes(TEXT, b'{"id":"f","do":"follow","after":"0"}'))
        await head(reader)
        assert (await said(reader))["user_id"] == bob.id
        frames = [await said(reader) for _ in range(4)]
        await asyncio.gather(s.emit(alice, 1, "alice's"), s.emit(bob, 1, "bob's"))
        frames.append(await said(reader))
        assert alice.id not in json.dumps(frames)
        assert [frame.get("seq") for frame in frames] == [None, 1, 2, None, 3]
        assert "bob's" in json.dumps(frames[-1])


async def test_an_upgrade_behind_an_unanswered_request_is_refused(stage: Stages) -> None:
    """Its answer would land among the frames."""
    async with stage() as s:
        reader, writer = await s.connect()
        writer.write(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n" + request((await s.user()).token))
        assert " 400 " in await head(reader)
        await asyncio.wait_for(reader.read(), 5)


async def test_a_socket_answers_to_the_names_that_http_answers_to(stage: Stages) -> None:
    """No Host, two of them, a malformed one or, under `--dev`, a name that is not this machine's: 403, whatever the credential."""
    async with stage() as s:
        told = request((await s.user()).token)
        for hosts in (b"", b"Host: evil.example\r\n", b"Host: localhost\r\nHost: localhost\r\n", b"Host: a b\r\n"):
            reader, writer = await s.connect()
            writer.write(told.replace(b"Host: localhost\r\n", hosts))
            assert " 403 " in await head(reader), hosts
            assert b'"code":"forbidden"' in await asyncio.wait_for(reader.read(), 5)


async def test_a_head_is_bounded_while_it_arrives(stage: Stages) -> None:
    """16 KiB: more is 431, also when it never ends, also in an upgrade request."""
    async with stage() as s:
        for more in ("X-A: " + "a" * 17_000 + "\r\n", "X-A: a\r\n" * 2_500):
            told = request(None, more=more)
            for data in (told, told[:-4], told[:-4].replace(b"Upgrade: websocket\r\n", b"")):
                reader, writer = await s.connect()
                for at in range(0, len(data), 4_000):
                    writer.write(data[at : at + 4_000])
                    await asyncio.sleep(0.001)
                assert " 431 " in await head(reader), (len(data), data[:60])


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": ""}, 400),
        ({"Sec-WebSocket-Version": "8"}, 400),
        ({"Content-Length": "5"}, 400),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Sec-WebSocket-Protocol": "quintet.v1, bearer.@@@"}, 401),
        ({"Sec-WebSocket-Protocol": "quintet.v1, bearer."}, 401),
        ({"Sec-WebSocket-Protocol": "quintet.v1, bearer.YQ, bearer.YQ"}, 400),
        ({"Sec-WebSocket-Protocol": "bearer.YQ"}, 400),
        ({"Origin": "http://evil.example"}, 403),
    ],
)
async def test_a_refused_upgrade_is_a_problem_document(stage: Stages, more: dict[str, str], status: int) -> None:
    """With its code and a request id, `no-store`, and the connection closed."""
    async with stage() as s:
        told = await s.refused(headers=more)
        body = told.problem
        assert (told.status, body["status"]) == (status, status)
        assert told.headers["content-type"] == "application/problem+json"
        assert body["request_id"] == told.headers["x-request-id"]
        assert ("www-authenticate" in told.headers) == (status == 401)


async def test_a_dead_database_is_no_wrong_credential(stage: Stages) -> None:
    """503 and `Retry-After`, not 401: the client must not forget its token. A browser gets 4010, which means again."""
    async with stage() as s:
        alice = await s.user()
        await s.kernel.store.close()
        told = await s.refused(alice.token)
        assert told.status == 503
        assert int(told.headers["retry-after"]) >= 1
        told, raw = await s.ask(alice.token, origin=f"http://localhost:{s.port}")
        assert await raw.closing() == 4010
        await s.kernel.store.start()


async def test_a_peer_that_leaves_while_it_is_asked_who_it_is(stage: Stages) -> None:
    """Nothing is upgraded and nothing stays."""
    async with stage() as s:
        alice = await s.user()
        for _ in range(5):
            _, writer = await s.connect()
            writer.write(request(alice.token))
            await asyncio.sleep(0.001)
            writer.transport.abort()
        await s.open(alice)

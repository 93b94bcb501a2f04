"""Without an active defect the relay changes nothing that a client or a server can see; and it strikes where it says."""

import asyncio
import contextlib
import gc
import json
import socket
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from quintet.testing.contracts import Mapping
from quintet.testing.loops import LoopThread
from quintet.testing.sabotage.defects import ALL, named
from quintet.testing.sabotage.heads import Head, bare, person, shown_in, with_token
from quintet.testing.sabotage.interception import Interception
from quintet.testing.sabotage.relay import Relay
from quintet.testing.sockets.connecting import Connect

pytestmark = pytest.mark.l2

MAP = Mapping.of({"name": "theirs", "frame": {"type": "kind", "order": "n", "run": "job"}})
Between = Callable[[str | None], Relay]


@pytest.fixture
def between() -> Iterator[Between]:
    """Puts a relay between this process and every server on this machine."""
    ends: list[Callable[[], None]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # what earlier tests of this process left is not the relay's

    def start(defect: str | None) -> Relay:
        relay = Relay(MAP, named(defect) if defect else None)
        interception = Interception(relay, set)
        interception.start()
        ends.extend((relay.stop, interception.stop))
        return relay

    yield start
    for end in reversed(ends):
        end()
    gc.collect()  # what is left open is told of the test that left it


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connections whose loop is this test's own."""
    loop = LoopThread("a test")
    made = Connect(loop, MAP)
    yield made
    made.finish()
    loop.close()


@contextlib.asynccontextmanager
async def echo() -> AsyncIterator[tuple[str, list[str]]]:
    """A socket server that says back what it hears, in an event; and the ends it saw."""
    ends: list[str] = []

    async def talk(ws: ServerConnection) -> None:
        n = 0
        with contextlib.suppress(ConnectionClosed):
            async for text in ws:
                n += 1
                await ws.send(json.dumps({"kind": "echo", "n": n, "job": "j", "text": text}))
        ends.append(str(ws.close_code))

    async with serve(talk, "127.0.0.1", 0, close_timeout=1) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", ends


async def test_a_plain_pass_changes_nothing(between: Between, connect: Connect) -> None:
    """The same bytes, the same close in both directions, a reset as a reset; what could be struck is counted."""
    async with echo() as (url, ends):
        direct = await connect(url)
        relay = between(None)
        through = await connect(url)
        for one in (direct, through):
            for text in ("a", "ü" * 200, "z" * 70_000):
                await one.send(text)
                await one.receive("echo")
        assert through.received() == direct.received()
        await through.close(4001, "bye")
        await (await connect(url)).cut()
        await asyncio.wait_for(_until(lambda: len(ends) == 2), 10)
        assert ends == ["4001", "1006"]
    assert relay.scene.messages == 5  # two upgrades, three events
    assert relay.met()["event lost"] == 1


async def test_a_server_that_refuses_still_refuses(between: Between) -> None:
    """Nobody listening is ECONNREFUSED, for blocking and other sockets; afterwards a server at that very port is reached."""
    between(None)
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        place.listen()
        with socket.create_connection(("localhost", port), 5), place.accept()[0]:
            pass


def test_a_server_that_speaks_first_is_heard(between: Between) -> None:
    """What is no HTTP is carried as it is."""
    relay = between(None)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()[:2], 5) as plug,
    ):
        there = server.accept()[0]
        with there:
            there.sendall(b"220 hello\r\n")
            assert plug.recv(100) == b"220 hello\r\n"
            plug.sendall(b"EHLO me\r\n")
            assert there.recv(100) == b"EHLO me\r\n"
    assert relay.scene.messages == 0


def test_plain_http_is_carried(between: Between) -> None:
    """Heads, bodies and statuses; a request whose body is sent in chunks, too."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(size) if size else b"".join(self.rfile.readline() for _ in range(4))
            self.send_response(201)
            self.send_header("X-Got", self.headers["X-Sent"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_told: object) -> None:
            pass

    relay = between(None)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as http:
            answers = [http.post("/", content=b"x" * 100_000, headers={"X-Sent": "yes"}) for _ in range(3)]
            chunked = http.post("/", content=iter([b"abc"]), headers={"X-Sent": "in chunks"})
        server.shutdown()
        thread.join(5)
    assert [(a.status_code, a.headers["x-got"], len(a.content)) for a in answers] == [(201, "yes", 100_000)] * 3
    assert (chunked.status_code, chunked.content) == (201, b"3\r\nabc\r\n0\r\n\r\n")
    assert relay.scene.messages == 4


async def test_a_defect_strikes_the_same_event_every_time(between: Between, connect: Connect) -> None:
    """The third of its run, on every connection, and nothing else."""
    relay = between("event doubled")
    async with echo() as (url, _):
        for name in ("one", "two"):
            socket = await connect(url, name=name, strict=False)
            for text in "abcde":
                await socket.send(text)
            await socket.until("echo", lambda seen: seen.order == 5)
            assert [seen.order for seen in socket.story] == [1, 2, 3, 3, 4, 5]
    assert relay.met() == {"event doubled": 2}


@pytest.mark.parametrize(
    ("first", "fields", "person_of"),
    [
        ("GET / HTTP/1.1", {"Authorization": "Bearer bad"}, "bad"),
        ("GET /?x=1&token=bad HTTP/1.1", {}, "bad"),
        ("GET / HTTP/1.1", {"Sec-WebSocket-Protocol": "app.v1, bearer.YmFk"}, "bad"),
        ("GET / HTTP/1.1", {}, ""),
    ],
)
def test_a_credential_takes_the_place_of_another(first: str, fields: dict[str, str], person_of: str) -> None:
    """In the way in which the bad one was shown; where none was, in a header. The rest of the request stays."""
    head = Head(first, tuple(fields.items()))
    good = shown_in(Head("GET / HTTP/1.1", (("Authorization", "Bearer good"),)))
    assert good is not None
    assert person(shown_in(head)) == person_of
    replaced = with_token(head, good)
    shown = shown_in(replaced)
    assert shown is not None
    assert bare(shown) == "good"
    assert replaced.first.replace("good", "bad") == head.first
    assert replaced["sec-websocket-protocol"].startswith("app.v1") == ("Sec-WebSocket-Protocol" in fields)


def test_every_defect_says_what_it_does() -> None:
    """Each has a name of its own and a sentence, and changes nothing by default."""
    assert len({defect.name for defect in ALL}) == len(ALL) >= 12
    assert all(defect.says for defect in ALL)


async def _until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.01)

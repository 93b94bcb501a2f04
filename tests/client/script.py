"""A server that says what the test tells it to: real sockets and real HTTP with any words, right or wrong, at any moment."""

import asyncio
import contextlib
import json
from base64 import b64encode
from collections import defaultdict
from hashlib import sha1
from types import TracebackType
from typing import Any, NamedTuple, Self

from quintet.testing.wire.frames import CLOSE, TEXT, Scanner, close_payload, frame_bytes

__all__ = ["Answer", "Script", "Seat", "event"]

WAIT = 10.0
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Answer(NamedTuple):
    """What an HTTP call gets."""

    body: Any = None
    status: int = 200
    kind: str = "application/json"
    more: str = ""  # further headers

    @classmethod
    def problem(cls, status: int, code: str, more: str = "") -> Self:
        """A refusal."""
        return cls({"code": code, "detail": f"It is {code}."}, status, "application/problem+json", more)


def event(seq: int, kind: str = "agent_thinking", *, run: str = "run_1", place: int = 0, **more: Any) -> dict[str, Any]:
    """An event of the log at `seq`; its cursor is `e.<seq>.d`."""
    agent = {"id": "agt_1", "name": "echo"} | more.pop("agent", {})
    head = {
        "v": 1,
        "type": kind,
        "seq": seq,
        "cursor": f"e.{seq}.d",
        "id": f"evt_{seq}",
        "time": "2026-01-01T00:00:00Z",
    }
    return head | {"run_id": run, "run_seq": place or seq, "agent": agent, "data": more.pop("data", {})} | more


class Seat:
    """One socket, from the server's side."""

    def __init__(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self._reader = reader
        self._writer = writer
        self._heard: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()  # None: the client has gone
        self.listening = asyncio.create_task(self._listen())

    async def say(self, kind: str, **fields: Any) -> None:
        """One frame."""
        await self.raw(json.dumps({"type": kind, **fields}).encode())

    async def raw(self, payload: bytes) -> None:
        """Any text frame."""
        self._writer.write(frame_bytes(TEXT, payload, masked=False))
        await self._writer.drain()

    async def tell(self, *events: dict[str, Any]) -> None:
        """Events."""
        for one in events:
            await self.raw(json.dumps(one).encode())

    async def hear(self, verb: str = "", within: float = WAIT) -> dict[str, Any]:
        """The client's next frame, which is this verb. Raises `ConnectionError` when it has gone."""
        async with asyncio.timeout(within):
            told = await self._heard.get()
        if told is None:
            raise ConnectionError("the client has gone")
        assert told["do"] == (verb or told["do"]), told
        return told

    async def gone(self) -> None:
        """Wait until the client has left, whatever it says before."""
        with contextlib.suppress(ConnectionError):
            while True:
                await self.hear()

    async def ready(self, *, expires_in: float = 3600) -> dict[str, Any]:
        """Admit it; its `follow`."""
        await self.say("ready", connection_id="c", user_id="usr_1", session_id="s", expires_in=expires_in, head="e.0.0")
        return await self.hear("follow")

    async def follow(self, last: int = 0, *, expires_in: float = 3600) -> dict[str, Any]:
        """Admit it and let it follow from after `last`; its `follow`."""
        asked = await self.ready(expires_in=expires_in)
        await self.following(asked, last)
        return asked

    async def following(self, asked: dict[str, Any], last: int) -> None:
        """Answer a `follow`."""
        await self.say("following", id=asked["id"], after=f"e.{last}.d", last_seq=last)

    async def close(self, code: int, reason: str = "") -> None:
        """Close it: say so, and hang up when the client has said so."""
        self._writer.write(frame_bytes(CLOSE, close_payload(code, reason), masked=False))
        await self._writer.drain()

    async def _listen(self) -> None:
        scanner = Scanner()
        with contextlib.suppress(OSError):
            while data := await self._reader.read(65_536):
                frames = scanner.feed(data)
                for frame in frames:
                    if frame.opcode == TEXT:
                        self._heard.put_nowait(frame.body)
                if any(frame.opcode == CLOSE for frame in frames):
                    self._writer.write(frame_bytes(CLOSE, close_payload(1000), masked=False))
                    break
        self._writer.close()
        self._heard.put_nowait(None)


class Script:
    """Listens on a port of its own. `answers` of a call are given in turn, the last one again and again."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, list[Answer]] = {"GET /v1/auth/me": [Answer({"id": "usr_1"})]}
        self.asked: dict[str, list[tuple[str, Any]]] = defaultdict(list)  # of each call: its query, then its body
        self.late: dict[str, float] = {}  # seconds until a call is answered
        self.upgrades: list[Answer] = []  # instead of the next sockets
        self._seats: asyncio.Queue[Seat] = asyncio.Queue()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://localhost:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def seat(self, within: float = WAIT) -> Seat:
        """The next socket of the client."""
        async with asyncio.timeout(within):
            return await self._seats.get()

    @property
    def waiting(self) -> int:
        """Sockets that the test has not taken."""
        return self._seats.qsize()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                if "upgrade" in fields.get("connection", "") and not self.upgrades:
                    self._upgrade(head, reader, writer)
                    return
                method, target, _ = head.split(" ", 2)
                answer = self._answer(method, target, body, "upgrade" in fields)
                await asyncio.sleep(self.late.get(f"{method} {target}", 0))
                writer.write(answer)
                await writer.drain()

    def _upgrade(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = next(line for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")).split(": ")[1]
        accept = b64encode(sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: quintet.v1\r\n\r\n".encode()
        )
        self._seats.put_nowait(Seat(head, reader, writer))

    def _answer(self, method: str, target: str, body: bytes, socket: bool) -> bytes:
        path, _, query = target.partition("?")
        call = f"{method} {path}"
        self.asked[call].append((query, json.loads(body) if body else None))
        answers = self.upgrades if socket else self.answers.get(call, [Answer.problem(404, "not_found")])
        given = answers.pop(0) if len(answers) > 1 or socket else answers[0]
        content = given.body if isinstance(given.body, bytes) else json.dumps(given.body).encode()
        head = (
            f"HTTP/1.1 {given.status} X\r\nContent-Type: {given.kind}\r\nContent-Length: {len(content)}\r\n{given.more}"
        )
        return head.encode() + b"\r\n" + content

"""One connection through the relay: an exchange of HTTP, or what becomes a stream of messages.

1. Without an active defect bytes pass as they came, and the relay only reads along: what it plants later must be all that differs.
2. One exchange a connection (`Connection: close`), no compression: then heads and messages can be found without guessing.
3. What is no HTTP, or no longer understood, is carried on blindly.
"""

import asyncio
import contextlib
import json
import re
from typing import Any

from quintet.testing.sabotage.heads import TOKEN_KEYS, Head, Shown, shown_in, with_token
from quintet.testing.sabotage.plan import Ends, Plan
from quintet.testing.sabotage.streams import Stream
from quintet.testing.wire.tcp import gone, reset

__all__ = ["Exchange"]

HEAD_BYTES = 64 * 1024
BODY_BYTES = 4 * 1024 * 1024
CHUNK = 64 * 1024
REFUSALS = (401, 403)
_REQUEST = re.compile(rb"[A-Z]{3,8} \S")


class Exchange:
    """A client's connection, and one to the server it meant."""

    def __init__(self, plan: Plan, place: tuple[str, int], client: Ends, server: Ends) -> None:
        self._plan, self._place, self._client, self._server = plan, place, client, server
        self._live: Stream | None = None

    async def carry(self) -> None:
        """Until it is over."""
        try:
            await self._carried()
        except (ConnectionError, asyncio.IncompleteReadError):
            reset(self._client.writer)
            reset(self._last.writer)
        except asyncio.CancelledError:
            self._client.writer.transport.abort()  # what nobody reads any more is not waited for
            self._last.writer.transport.abort()
            raise
        finally:
            self._client.writer.close()  # whose connection it is waits until it has gone
            await gone(self._last.writer)

    @property
    def _last(self) -> Ends:
        return self._live.server if self._live else self._server

    async def _carried(self) -> None:
        data, rest = await self._asked()
        if not rest and not _REQUEST.match(data):
            await self._blind(data)
            return
        try:
            head = Head.parse(data)
        except ValueError:
            await self._blind(data + rest)
            return
        self._plan.scene.messages += 1
        await self._answered(head, rest)

    async def _asked(self) -> tuple[bytes, bytes]:
        """The head of the request and what came behind it; where it is none, what came. The server may speak first."""
        client = asyncio.ensure_future(self._client.reader.read(CHUNK))
        server = asyncio.ensure_future(self._server.reader.read(CHUNK))
        try:
            await asyncio.wait([client, server], return_when=asyncio.FIRST_COMPLETED)
            if server.done():
                self._client.writer.write(server.result())
            data = client.result() if client.done() else b""
        finally:
            for task in (client, server):
                task.cancel()
            await asyncio.gather(client, server, return_exceptions=True)
        if not _REQUEST.match(data):
            return data, b""
        while b"\r\n\r\n" not in data and len(data) < HEAD_BYTES and (more := await self._client.reader.read(CHUNK)):
            data += more
        head, found, rest = data.partition(b"\r\n\r\n")
        return (head, rest) if found else (b"", data)

    async def _answered(self, asked: Head, rest: bytes) -> None:
        if not asked.first:
            await self._blind(rest)
            return
        head = asked.set("Sec-WebSocket-Extensions", None).set("Expect", None)
        if not asked.upgrade:
            head = head.set("Connection", "close").set("Accept-Encoding", "identity")
        for defect in self._plan.defects:
            told = defect.request(head, self._place)
            head = told if defect is self._plan.active else head
        body, whole = await self._body(head, rest)
        shown = shown_in(head)
        answer, data = await self._put(head, body, whole)
        if answer.status in REFUSALS and whole:
            answer, data, shown = await self._second(head, body, answer, data, shown)
        if answer.status == 101 and asked.upgrade:
            await self._stream(asked, head, shown).socket(answer, data)
        elif answer.status == 200 and "text/event-stream" in answer["content-type"]:
            await self._stream(asked, head, shown).events(answer, data)
        else:
            await self._plain(head, answer, data, shown)

    async def _body(self, head: Head, rest: bytes) -> tuple[bytes, bool]:
        """The body of the request, and whether that is all of it."""
        size = head["content-length"]
        if head["transfer-encoding"] or (size.isdigit() and int(size) > BODY_BYTES):
            return rest, False
        missing = int(size) - len(rest) if size.isdigit() else 0
        return rest + await self._client.reader.readexactly(max(0, missing)), True

    async def _put(self, head: Head, body: bytes, whole: bool) -> tuple[Head, bytes]:
        """Ask the server; the head of its answer and what came behind it."""
        self._server.writer.write(head.bytes() + body)
        more = None if whole else asyncio.ensure_future(_splice(self._client.reader, self._server.writer))
        try:
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    piece = await self._server.reader.read(CHUNK)
                    if not piece or len(data) > HEAD_BYTES:
                        raise ConnectionResetError("the server ended the connection without an answer")
                    data += piece
                text, _, data = data.partition(b"\r\n\r\n")
                answer = Head.parse(text)
                if answer.status >= 200 or answer.status == 101:
                    return answer, data
        finally:
            if more is not None:
                more.cancel()
                await asyncio.gather(more, return_exceptions=True)

    async def _second(
        self, head: Head, body: bytes, answer: Head, data: bytes, shown: Shown | None
    ) -> tuple[Head, bytes, Shown | None]:
        """Refused: where that is the defect, ask again with a good credential, and keep what is better."""
        for defect in self._plan.defects:
            good = defect.refused(head, self._place)
            if good is None or (shown is None and head.method not in {"GET", "DELETE"}):
                continue  # a sign-in that failed is no door that was opened
            if defect is not self._plan.active:
                defect.done += 1
                continue
            before, self._server = self._server, await self._plan.upstream(self._place)
            again, more = await self._put(with_token(head, good), body, True)
            if again.status not in REFUSALS:
                defect.done += 1
                await gone(before.writer)
                return again, more, good
            await gone(self._server.writer)
            self._server = before
        return answer, data, shown

    def _stream(self, asked: Head, head: Head, shown: Shown | None) -> Stream:
        self._live = Stream(self._plan, self._place, self._client, self._server, (asked, head), shown)
        return self._live

    async def _plain(self, head: Head, answer: Head, data: bytes, shown: Shown | None) -> None:
        size = answer["content-length"]
        none = head.method == "HEAD" or answer.status in {204, 304}
        if size.isdigit() and int(size) <= BODY_BYTES and not none:
            data += await self._server.reader.readexactly(max(0, int(size) - len(data)))
        if 200 <= answer.status < 300:
            self._learn(shown, data)
        self._client.writer.write(answer.set("Connection", "close").bytes() + data)
        if not none and not size.isdigit():
            await _splice(self._server.reader, self._client.writer)
        elif size.isdigit() and int(size) > BODY_BYTES:
            await _splice(self._server.reader, self._client.writer, int(size) - len(data))
        with contextlib.suppress(ConnectionError):
            await self._client.writer.drain()

    def _learn(self, shown: Shown | None, data: bytes) -> None:
        """A credential that was taken, or one that was given out, is a good one."""
        try:
            told: Any = json.loads(data) if data[:1] == b"{" else {}
        except ValueError:
            told = {}
        given = next((told[key] for key in TOKEN_KEYS if isinstance(told.get(key), str)), None)
        good = Shown("header", "Authorization", f"Bearer {given}") if given else shown
        if good is not None:
            self._plan.scene.good[self._place] = good

    async def _blind(self, data: bytes) -> None:
        """Carry bytes both ways, whatever they are."""
        self._server.writer.write(data)
        ways = (
            asyncio.ensure_future(_splice(self._client.reader, self._server.writer)),
            asyncio.ensure_future(_splice(self._server.reader, self._client.writer)),
        )
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def _splice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None = None) -> None:
    while data := await reader.read(CHUNK if most is None else min(CHUNK, most)):
        writer.write(data)
        await writer.drain()
        if most is not None and (most := most - len(data)) <= 0:
            return
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()

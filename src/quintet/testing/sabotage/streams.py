"""A stream of messages through the relay, read along or falsified.

What is falsified goes through one queue, so that a message that is held back holds back what is behind it.
"""

import asyncio
import contextlib
from collections.abc import Iterator

from quintet.testing.loops import Pulse
from quintet.testing.sabotage.defects import Defect, Late
from quintet.testing.sabotage.defects.resuming import cursor_in
from quintet.testing.sabotage.heads import TOKEN_KEYS, Head, Shown, with_token
from quintet.testing.sabotage.messages import Codec, End, EventsCodec, FramesCodec, Message, Plain
from quintet.testing.sabotage.plan import Ends, Plan
from quintet.testing.sabotage.scene import Link
from quintet.testing.wire.tcp import gone

__all__ = ["Stream"]

CHUNK = 64 * 1024
WAITING = 4  # pieces for a client, before more is read from the server
EARLY = 16  # messages of a client that may have to be said again to another connection
HELD_SECONDS = 0.5  # a message that waits for the one behind it, where none comes
REFUSING = {1008, 3000, 3003}


class _Deaf:
    """Reads along no further."""

    def feed(self, data: bytes) -> Iterator[Message | Plain | End]:
        """Nothing."""
        del data
        return iter(())

    def encode(self, message: Message) -> bytes:
        """Never asked for."""
        raise NotImplementedError


class Stream:
    """From the answer that opened it to its end. `heads` are the request as it came and as it was sent.

    `server` may become another connection on the way; who made the stream closes it.
    """

    def __init__(
        self,
        plan: Plan,
        place: tuple[str, int],
        client: Ends,
        server: Ends,
        heads: tuple[Head, Head],
        shown: Shown | None,
    ) -> None:
        self._plan, self._client, self.server, self._head = plan, client, server, heads[1]
        self._queue: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
        self._taken = Pulse()
        self._gone = asyncio.Event()
        self._early: list[Message] = []
        self._codec: Codec = FramesCodec(plan.mapping)
        self._up: FramesCodec | None = None
        self._link = Link(plan.scene, place, heads[0], shown, self._say)
        found = cursor_in(plan.scene.cursors, [*heads[0].fields, *heads[0].query()])
        self._link.resumed = found[1] if found else None

    async def socket(self, answer: Head, data: bytes) -> None:
        """A WebSocket."""
        self._up = FramesCodec(self._plan.mapping, masked=True)
        self._client.writer.write(answer.bytes())
        await self._flow(data)

    async def events(self, answer: Head, data: bytes) -> None:
        """Server-sent events."""
        self._codec = EventsCodec(self._plan.mapping, "chunked" in answer["transfer-encoding"].lower())
        self._client.writer.write(answer.set("Connection", "close").set("Content-Length", None).bytes())
        await self._flow(data)

    async def _flow(self, data: bytes) -> None:
        """Until the server has ended it and the client has all of it. Raises `ConnectionError`."""
        self._plan.scene.links.add(self._link)
        drain = asyncio.ensure_future(self._drain())
        tasks = [drain, asyncio.ensure_future(self._down(data)), asyncio.ensure_future(self._upwards())]
        try:
            while not drain.done():
                running = [task for task in tasks if not task.done()]
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done():
                        task.result()
        finally:
            self._plan.scene.links.discard(self._link)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # --- from the server ----------------------------------------------------------------------------------------------

    async def _down(self, data: bytes) -> None:
        while data or (data := await self._next()):
            if self._plan.active is None:
                self._queue.put_nowait((0, data))
            try:
                await self._take(data)
            except ValueError:
                if self._plan.active is not None:
                    raise ConnectionAbortedError("what the server sends is not understood") from None
                self._codec = _Deaf()
            data = b""
        self._flush()
        self._queue.put_nowait(None)

    async def _next(self) -> bytes:
        """What comes next, once the client has taken most of what came: a slow client stays a slow client."""
        while self._queue.qsize() > WAITING:
            await self._taken.wait()
        while True:
            wait = HELD_SECONDS if "held" in self._link.notes else None
            try:
                return await asyncio.wait_for(self.server.reader.read(CHUNK), wait)
            except TimeoutError:
                self._flush()

    def _flush(self) -> None:
        held: Message | None = self._link.notes.pop("held", None)
        if held is not None and self._plan.active is not None:
            self._say(held)

    async def _take(self, data: bytes) -> None:
        for item in self._codec.feed(data):
            if isinstance(item, Message):
                self._plan.scene.messages += 1
                self._falsified(item)
                self._plan.scene.learn(self._link, item)
            elif isinstance(item, End):
                await self._end(item)
            elif self._plan.active is not None:
                self._queue.put_nowait((0, item.raw))

    def _falsified(self, message: Message) -> None:
        for defect in self._plan.defects:
            told = defect.down(self._link, message)
            if defect is not self._plan.active:
                continue
            for one in told:
                late, out = (one.seconds, one.message) if isinstance(one, Late) else (0.0, one)
                self._queue.put_nowait((late, self._codec.encode(out)))

    def _say(self, message: Message) -> None:
        if self._plan.active is not None:
            self._queue.put_nowait((0, self._codec.encode(message)))

    async def _end(self, end: End) -> None:
        raw = end.raw
        if end.code:
            for defect in self._plan.defects:
                if await self._reopened(defect, end.code):
                    return
                code = defect.close(self._link, end.code)
                if defect is self._plan.active and code != end.code:
                    raw = FramesCodec(self._plan.mapping).closing(code)
        self._flush()
        if self._plan.active is not None:
            self._queue.put_nowait((0, raw))

    async def _reopened(self, defect: Defect, code: int) -> bool:
        """Refused after the upgrade: where that is the defect, the client stays, at another connection with a good credential."""
        link = self._link
        if link.delivered or not (code in REFUSING or 4000 <= code < 5000):
            return False
        good = defect.refused(self._head, link.place)
        if good is None or (link.shown is not None and link.shown.value == good.value):
            return False
        defect.done += 1
        if defect is not self._plan.active:
            return False
        await gone(self.server.writer)
        self.server = await self._plan.upstream(link.place)
        self.server.writer.write(with_token(self._head, good).bytes())
        await self.server.reader.readuntil(b"\r\n\r\n")
        self._codec = FramesCodec(self._plan.mapping)
        link.shown = good
        for message in self._early:
            if not any(key in message.body for key in TOKEN_KEYS):
                self.server.writer.write(FramesCodec(self._plan.mapping, masked=True).encode(message))
        return True

    async def _drain(self) -> None:
        while (item := await self._queue.get()) is not None:
            self._taken.beat()
            late, data = item
            if late:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._gone.wait(), late)
            self._client.writer.write(data)
            await self._client.writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            self._client.writer.write_eof()

    # --- from the client ----------------------------------------------------------------------------------------------

    async def _upwards(self) -> None:
        while data := await self._client.reader.read(CHUNK):
            if not self._edits_up():
                self.server.writer.write(data)
            if self._up is not None:
                self._heard(data)
            await self.server.writer.drain()
        self._gone.set()
        with contextlib.suppress(OSError, RuntimeError):
            self.server.writer.write_eof()

    def _edits_up(self) -> bool:
        active = self._plan.active
        return self._up is not None and active is not None and type(active).up is not Defect.up

    def _heard(self, data: bytes) -> None:
        assert self._up is not None
        edits = self._edits_up()
        try:
            for item in self._up.feed(data):
                raw = self._said(item) if isinstance(item, Message) else item.raw
                if edits:
                    self.server.writer.write(raw)
        except ValueError:
            self._up = None  # no frames any more: read along no further

    def _said(self, message: Message) -> bytes:
        assert self._up is not None
        link, told = self._link, message
        self._plan.scene.messages += 1
        if len(self._early) < EARLY and not link.delivered:
            self._early.append(message)
        if link.shown is None:
            key = next((key for key in TOKEN_KEYS if isinstance(message.body.get(key), str)), None)
            link.shown = Shown("frame", key, message.body[key]) if key else None
        found = cursor_in(self._plan.scene.cursors, list(message.body.items()))
        if found and "ack" not in message.body.values():
            link.resumed = found[1]
        for defect in self._plan.defects:
            edited = defect.up(link, message)
            told = edited if defect is self._plan.active else told
        return self._up.encode(told)

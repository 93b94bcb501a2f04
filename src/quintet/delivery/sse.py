"""`GET /v1/events`: the feed as server-sent events (WHATWG, "Server-sent events"; protocol.md, section 5).

1. The same feed as a socket's: it registers, checks the session, then reads. Live is replay.
2. No queue: while the peer takes nothing the feed stands still, with at most one write's worth of events between them.
3. Whoever takes nothing for half a minute is cut, and a peer that is gone without a word takes nothing: not even the comments. The
   kernel's own time-out for that (`TCP_USER_TIMEOUT`) would also cut who reads slowly through a small window.
4. A stream counts as one of the user's sockets, and ends as they do: expiry, revocation, a server that leaves.
"""

import asyncio
import contextlib
import socket
from dataclasses import replace
from math import inf
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from quintet.delivery.backlog import backlog_of
from quintet.delivery.config import Parts
from quintet.delivery.deadlines import Deadlines
from quintet.delivery.feed import Feed
from quintet.edge.identity import speaker_of
from quintet.edge.peers import transport_of
from quintet.errors import QuintetError
from quintet.protocol import resync
from quintet.scope import Identity

__all__ = ["EventStream", "events_router"]

_NOT_SENT = 64 * 1024  # bytes the kernel may keep unsent, so that a slow peer is noticed early
_COMMENT = b":\n\n"
_EXPIRED = b'event: auth_expired\ndata: {"type":"auth_expired"}\n\n'
_HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]


class _Frame(msgspec.Struct):
    """What of a feed's frame stands in the lines around it."""

    type: str
    seq: int = 0
    cursor: str = ""
    after: str = ""
    reason: str = ""
    first: str = ""


_read = msgspec.json.Decoder(_Frame).decode


def _block(payload: bytes) -> bytes:
    """A frame of the feed as it goes out; nothing where a stream has no word for it."""
    frame = _read(payload)
    if frame.seq:
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (frame.cursor.encode(), frame.type.encode(), payload)
    if frame.type == "following":
        return b"id: %b\n\n" % frame.after.encode()
    if frame.type == "resync":  # from the new id on, a client that simply comes back gets everything that is kept
        return b"id: %b\nevent: resync\ndata: %b\n\n" % (frame.first.encode(), resync(frame.reason, frame.first))
    return b""


class EventStream:
    """One answer that does not end by itself: the outlet of a feed, on an ASGI connection."""

    def __init__(self, parts: Parts, identity: Identity, transport: asyncio.Transport | None, send: Send) -> None:
        self.writable = True
        self._parts = parts
        self._transport = transport
        self._send = send
        self._blocks: list[bytes] = []
        self._size = 0
        self._written = 0  # without the heads of chunks
        self._taken, self._took_at = 0, parts.sources.monotonic()
        self._news = asyncio.Event()
        self._over = False
        self._farewell: asyncio.TimerHandle | None = None
        config = replace(parts.config, heartbeat=parts.config.comment, silence=inf)
        self._deadlines = Deadlines(config, parts.sources, self, beat=self._beat, notice=lambda: None)
        self._feed = Feed(parts, identity, self)

    async def open(self, cursor: str) -> None:
        """Check the session and begin after `cursor`. Raises QuintetError `session_revoked`, `unavailable`, or the store's."""
        try:
            async with asyncio.timeout(self._parts.config.check_timeout):
                if not await self._feed.confirm():
                    raise QuintetError("session_revoked")
        except TimeoutError:
            raise QuintetError("unavailable", retry_after=5) from None
        if not await self._feed.follow(cursor, ""):
            self._over = True

    async def run(self, receive: Receive) -> None:
        """Send until it is over or the peer has gone."""
        self._deadlines.admitted(self._feed.identity)
        gone = asyncio.get_running_loop().create_task(self._listen(receive))
        try:
            await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            while await self._flush():
                await self._news.wait()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def _listen(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._drop()
        self._news.set()

    async def _flush(self) -> bool:
        """Hand over what there is; False when nothing will come any more."""
        self._news.clear()
        body, over = b"".join(self._blocks), self._over
        self._blocks.clear()
        self._size = 0
        if body:
            stuck = bool(self._transport and self._transport.get_write_buffer_size())
            if stuck:
                self._deadlines.paused()
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
            self._written += len(body)  # only now: what waits to be handed over is nothing that was taken
            if stuck:
                self._deadlines.resumed()
        if not self.writable and not self._over:
            self.writable = True
            self._feed.wake()
        return not over

    def close(self) -> None:
        """Give everything back."""
        self._over = True
        self._deadlines.stop()
        self._feed.close()
        if self._farewell is not None:
            self._farewell.cancel()

    # --- what the feed, the deadlines and the gateway say ---------------------------------------------------------------

    def write(self, payloads: list[bytes]) -> None:
        """See `Outlet`."""
        if self._over:
            return
        for block in map(_block, payloads):
            self._blocks.append(block)
            self._size += len(block)
        if self._size >= self._parts.config.write_bytes:
            self.writable = False
        self._news.set()

    def taken(self) -> int:
        """See `Timed`."""
        return self._written - backlog_of(self._transport) if self._transport else 0

    def end(self, reason: str) -> None:
        """End the stream as a socket would be closed with this reason."""
        if self._over:
            return
        self._parts.connections.counted[f"closed_{reason}"] += 1
        if reason == "token_expired":
            self._last(_EXPIRED)
        elif reason == "slow_consumer":
            self._drop()
            self._abort()
        else:
            self._drop()

    def drain(self, after: float) -> None:
        """Send the client elsewhere: it reconnects by itself, after so many seconds."""
        self._last(b"retry: %d\n\n" % round(after * 1000))

    def _last(self, block: bytes) -> None:
        if not self._over:
            self._blocks.append(block)
            self._finish()

    def _drop(self) -> None:
        """Nothing more goes out, not even what was written a moment ago."""
        self._blocks.clear()
        self._finish()

    def _finish(self) -> None:
        self._over = True
        self._news.set()
        if self._farewell is None:
            self._farewell = asyncio.get_running_loop().call_later(self._parts.config.close_wait, self._abort)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _beat(self) -> None:
        now, taken = self._parts.sources.monotonic(), self.taken()
        if taken > self._taken or not self._transport or not backlog_of(self._transport):
            self._taken, self._took_at = taken, now
        elif now >= self._took_at + self._parts.config.slow_after:
            self.end("slow_consumer")
        if self.writable and not self._blocks and not self._over:
            self._blocks.append(_COMMENT)
            self._news.set()


class _Answer(Response):
    """The stream as an answer. Counted from here on, so that nothing is left behind by a request that never got so far."""

    def __init__(self, parts: Parts, identity: Identity, cursor: str) -> None:
        super().__init__()
        self._parts = parts
        self._identity = identity
        self._cursor = cursor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connections, user_id = self._parts.connections, self._identity.user_id
        if connections.draining:
            raise QuintetError("unavailable", retry_after=1)
        if not connections.take_user(user_id):
            raise QuintetError("rate_limited", "Too many of your connections are open. Close one first.", retry_after=5)
        stream = EventStream(self._parts, self._identity, _transport_of(scope), send)
        connections.add(stream)
        connections.streams += 1
        try:
            await stream.open(self._cursor)
            await stream.run(receive)
        finally:
            stream.close()
            connections.streams -= 1
            connections.remove(stream)
            connections.leave_user(user_id)


def _transport_of(scope: Scope) -> asyncio.Transport | None:
    transport = transport_of(scope)
    plug = transport.get_extra_info("socket") if transport is not None else None
    if plug is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile: the stream hears of it at once
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _NOT_SENT)
    return transport


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The feed", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


def events_router(parts: Parts) -> APIRouter:
    """`GET /v1/events`."""
    router = APIRouter()
    Me = Annotated[Identity, Depends(speaker_of(parts.authenticate))]  # noqa: N806 - a type

    @router.get("/v1/events", response_class=Response, responses=_STREAM)
    async def events(
        me: Me,
        after: Annotated[str | None, Query()] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        return _Answer(parts, me, last_event_id or ("$" if after is None else after))

    return router

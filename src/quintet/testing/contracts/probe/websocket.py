"""A WebSocket whose messages are JSON objects, and Socket.IO over one.

Of Socket.IO (protocol 5 on Engine.IO 4) only what a chat needs is spoken: open, connect, ping, events. Long polling is not tried.
"""

import asyncio
import contextlib
import json
import re
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.typing import Subprotocol

from .line import SHOWN, Line, LineError
from .plan import Connect

__all__ = ["SocketIO", "WebSocket"]

LONGEST = 16 * 1024 * 1024  # bytes of a message


class WebSocket(Line):
    """Frames are the messages."""

    _socket: ClientConnection | None = None
    _reading: "asyncio.Task[None] | None" = None

    async def _open(self, shown: Connect) -> None:
        await self._dial(shown)
        self._read_on()
        for frame in shown.first:
            await self._send(frame)

    async def _dial(self, shown: Connect, **query: Any) -> ClientConnection:
        asked = urlencode({**query, **shown.query})
        address = f"ws{self.url.removeprefix('http')}{self.plan.path}{'?' if asked else ''}{asked}"
        try:
            self._socket = await connect(
                address,
                additional_headers={str(name): str(value) for name, value in shown.headers.items()},
                subprotocols=[Subprotocol(name) for name in self.plan.subprotocols] or None,
                compression=None,
                max_size=LONGEST,
                proxy=None,
                open_timeout=self.plan.wait.open,
                close_timeout=2,
            )
        except InvalidStatus as refusal:
            told = (refusal.response.body or b"")[:SHOWN].decode(errors="replace")
            raise LineError(f"the socket was refused: HTTP {refusal.response.status_code} {told}") from None
        except (OSError, InvalidMessage, InvalidHandshake) as fault:
            raise LineError(f"the socket could not be opened: {fault}") from None
        return self._socket

    def _read_on(self) -> None:
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        socket = self._socket
        assert socket is not None
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._message(await socket.recv(decode=False))
        self._ended(socket.close_code, socket.close_reason or "")

    async def _message(self, raw: bytes) -> None:
        self._take(raw)

    async def _send(self, frame: Any) -> None:
        await self._say(json.dumps(frame, ensure_ascii=False))

    async def _say(self, text: str) -> None:
        assert self._socket is not None
        try:
            await asyncio.wait_for(self._socket.send(text), self.plan.wait.open)
        except (ConnectionClosed, TimeoutError) as fault:
            raise LineError(f"could not send: {fault!r}") from None

    async def close(self) -> None:
        """Leave."""
        self._leaving = True
        if self._socket is not None:
            await self._socket.close()
        await self._finish()

    async def cut(self) -> None:
        """Drop the connection without a word."""
        self._leaving = True
        if self._socket is not None:
            self._socket.transport.abort()
        await self._finish()

    async def _finish(self) -> None:
        if self._reading is not None:
            await asyncio.wait([self._reading], timeout=5)
            self._reading.cancel()


_PACKET = re.compile(r"4([0-6])(?:\d+-)?(?:(/[^,]*),)?(\d*)(.*)", re.DOTALL)


class SocketIO(WebSocket):
    """Frames are the arguments of events: `@event` is the event's name. Events may come before the answer to the connect packet."""

    _answered = False

    async def _open(self, shown: Connect) -> None:
        socket = await self._dial(shown, EIO=4, transport="websocket")
        try:
            first = await socket.recv(decode=True)
            if not first.startswith("0"):
                raise LineError(f"this is no Engine.IO: it began with {first[:SHOWN]!r}")
            await socket.send("40" + ("" if shown.auth is None else json.dumps(shown.auth, ensure_ascii=False)))
        except ConnectionClosed as end:
            raise LineError(f"the connection was refused: {end}") from None
        self._answered = False
        self._read_on()
        await self.until(lambda _: self._answered, self.plan.wait.open)
        if self.over or not self._answered:
            raise LineError(f"the connection was refused: {self.story.closing and self.story.closing.reason}")
        for frame in shown.first:
            await self._send(frame)

    async def _message(self, raw: bytes) -> None:
        text = raw.decode(errors="replace")
        if text == "2":
            with contextlib.suppress(LineError):
                await self._say("3")
            return
        packet = _PACKET.match(text)
        if packet is None:
            return
        if packet[1] == "2":
            self._event(raw, packet[4])
        elif packet[1] == "0":
            self._answered = True
            self._news.set()
        elif packet[1] in {"1", "4"}:
            self._ended(None, f"{'disconnected' if packet[1] == '1' else 'refused'} {packet[4][:SHOWN]}".strip())

    def _event(self, raw: bytes, told: str) -> None:
        try:
            name, *arguments = json.loads(told)
        except (ValueError, TypeError):
            self._take(raw, {})
            return
        one = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], dict) else {"arguments": arguments}
        self._take(raw, one, {"event": name})

    async def _send(self, frame: Any) -> None:
        await self._say("42" + json.dumps([self.plan.event, frame], ensure_ascii=False))

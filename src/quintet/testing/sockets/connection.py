"""A WebSocket connection to any server, over `websockets`: it shares no code with a server under test."""

import asyncio
import base64
import contextlib
import json
from collections.abc import Mapping as Keyed
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.typing import Origin, Subprotocol

from quintet.testing.contracts import Mapping
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.reading import STEP_SECONDS, ConnectionFault, Reader
from quintet.testing.targets import Target
from quintet.testing.wire.objects import json_object

__all__ = ["Connection", "Credential", "How", "Refused"]

How = Literal["header", "subprotocol", "frame", "query", "cookie"]
LONGEST = 64 * 1024 * 1024  # bytes of a message


class Refused(ConnectionFault):
    """The upgrade was refused: `status`, `headers` and `body` of the answer. Status 0: there was no answer at all."""

    def __init__(self, text: str, status: int, headers: Keyed[str, str], body: bytes) -> None:
        super().__init__(text)
        self.status, self.headers, self.body = status, headers, body

    @property
    def problem(self) -> dict[str, Any]:
        """The body's JSON object. Raises `ValueError`: it is none."""
        return json_object(self.body)


@dataclass(frozen=True)
class Credential:
    """A token and the way in which it is shown.

    `header`: `Authorization: Bearer …`; `subprotocol`: `bearer.<base64url>`; `query`: `?name=…`; `cookie`: `name=…`; `frame`: the
    first frame, `{"do": "auth", "token": …}` or what `frame` makes of the token.
    """

    token: str = field(repr=False)
    how: How = "header"
    name: str = "token"
    frame: Keyed[str, Any] = field(default_factory=lambda: {"do": "auth"})

    def headers(self) -> dict[str, str]:
        """What it adds to the request."""
        if self.how == "header":
            return {"Authorization": f"Bearer {self.token}"}
        return {"Cookie": f"{self.name}={self.token}"} if self.how == "cookie" else {}

    def subprotocols(self) -> list[str]:
        """What it adds to the offer."""
        if self.how != "subprotocol":
            return []
        return ["bearer." + base64.urlsafe_b64encode(self.token.encode()).rstrip(b"=").decode()]

    def url(self, url: str) -> str:
        """The URL with it."""
        if self.how != "query":
            return url
        return f"{url}{'&' if urlsplit(url).query else '?'}{self.name}={quote(self.token, safe='')}"


class Connection(Reader):
    """One socket. `close` leaves politely, `cut` without a word."""

    def __init__(self, name: str, target: Target, loop: LoopThread, mapping: Mapping, *, strict: bool) -> None:
        super().__init__(name, target, loop, mapping, strict=strict)
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(
        self,
        url: str,
        credential: Credential | None = None,
        *,
        headers: Keyed[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        origin: str | None = None,
        within: float = STEP_SECONDS,
    ) -> Self:
        """Connect. Raises `Refused`."""
        shown = credential or Credential("", "frame")
        offered = [Subprotocol(name) for name in (*subprotocols, *shown.subprotocols())]
        try:
            self._socket = await self._loop.run(_opened(shown.url(url), shown, offered, headers or {}, origin, within))
        except InvalidStatus as refusal:
            answer = refusal.response
            raise self._refused(f"HTTP {answer.status_code}", answer.status_code, answer.headers, answer.body) from None
        except (OSError, InvalidMessage, InvalidHandshake, TimeoutError) as fault:
            raise self._refused(repr(fault), 0, {}, b"") from fault
        await self._loop.run(self._begin())
        if credential is not None and credential.how == "frame":
            await self.send({**credential.frame, credential.name: credential.token})
        return self

    @property
    def subprotocol(self) -> str | None:
        """What the server chose."""
        return None if self._socket is None else self._socket.subprotocol

    async def send(self, body: Any) -> float:
        """Send a frame: text, bytes, or anything else as JSON; returns when (monotonic seconds). Raises `ConnectionFault`."""
        raw = body if isinstance(body, (str, bytes)) else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        return await self._loop.run(self._send(raw))

    async def send_json(self, body: Any) -> float:
        """The same, also for a string: it is sent as JSON."""
        return await self.send(json.dumps(body, separators=(",", ":"), ensure_ascii=False))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Leave politely, and wait for the end."""
        await self._loop.run(self._close(code, reason))

    async def cut(self) -> None:
        """Drop the connection without a word: a reset, not a close."""

        async def abort() -> None:
            if self._socket is not None:
                self._socket.transport.abort()
            await self._ended()

        await self._loop.run(abort())

    async def closed(self, within: float | None = None) -> tuple[int, str]:
        """Wait until the server has closed: close code and reason. Raises `ConnectionFault`."""

        def look() -> tuple[int, str] | None:
            return (self.close_code, self.close_reason) if self.close_code is not None else None

        return await self.step("the server to close the socket", look, within, even_closed=True)

    # --- on the kit's loop --------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        self._reading = asyncio.create_task(self._read())

    async def _send(self, raw: str | bytes) -> float:
        assert self._socket is not None, "the connection was never opened"
        at = self._sent(raw.encode() if isinstance(raw, str) else raw)
        try:
            await asyncio.wait_for(self._socket.send(raw), STEP_SECONDS)
        except (ConnectionClosed, TimeoutError) as fault:
            raise self.fault(f"could not send: {fault!r}") from fault
        return at

    async def _close(self, code: int, reason: str) -> None:
        if self._socket is not None:
            await self._socket.close(code, reason)
        await self._ended()

    async def _read(self) -> None:
        socket = self._socket
        assert socket is not None
        with contextlib.suppress(ConnectionClosed):
            while True:
                self._take(await socket.recv(decode=False))
        self._over(socket.close_code or 1006, socket.close_reason or "")

    def _take(self, raw: bytes | str) -> None:
        self._came(raw if isinstance(raw, bytes) else raw.encode())

    async def _ended(self) -> None:
        if self._reading is None:
            return
        # Not `wait_for`: whoever gives up waiting would cancel the reading, and the next to wait would be cancelled by it.
        done, _ = await asyncio.wait([self._reading], timeout=STEP_SECONDS)
        if not done:
            raise TimeoutError("the connection does not end")
        if not self._reading.cancelled():
            self._reading.result()

    def _refused(self, words: str, status: int, headers: Keyed[str, str], body: bytes | bytearray | None) -> Refused:
        told = bytes(body or b"")
        text = self.fault(f"the upgrade was refused: {words} {told[:SHOWN].decode(errors='replace')}")
        return Refused(str(text), status, dict(headers), told)


SHOWN = 400


async def _opened(
    url: str,
    shown: Credential,
    offered: list[Subprotocol],
    headers: Keyed[str, str],
    origin: str | None,
    within: float,
) -> ClientConnection:
    return await connect(
        url,
        origin=Origin(origin) if origin else None,
        subprotocols=offered or None,
        additional_headers={**shown.headers(), **headers},
        user_agent_header="a test",
        compression=None,  # bytes are kept as they came
        max_size=LONGEST,
        max_queue=None,
        ping_interval=None,
        proxy=None,
        open_timeout=within,
        close_timeout=2,
    )

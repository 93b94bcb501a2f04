"""A client of the wire over `websockets`: one device of a user. It shares no code with the server.

Every step has a deadline, and a step that fails shows the whole transcript and the end of the server's log. What the protocol
promises of every feed is checked on every frame: the numbers are dense after `following`, nothing comes after `resync`, no key is
null. Raw bytes of every event are kept, so that two devices can be compared byte for byte.
"""

import asyncio
import base64
import contextlib
import itertools
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from support.frames import Body, Event, Frame, Said, has_null
from support.server import Server

__all__ = ["STEP_SECONDS", "Device", "Event", "Frame", "Said"]

T = TypeVar("T")
STEP_SECONDS = 15.0  # a generous bound on a busy machine; what must be fast is measured, not timed out


@dataclass
class Device:
    """One socket. Made by `open`; `close` or `cut` ends it."""

    server: Server
    name: str
    ws: ClientConnection
    transcript: list[Frame] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ready: Body = field(default_factory=dict)
    close_code: int | None = None
    close_reason: str = ""
    closed_at: float = 0.0
    strict: bool = True  # whether the rules of a feed are checked on every frame
    _expected: int | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)
    _reader: "asyncio.Task[None] | None" = None

    # --- opening and ending -------------------------------------------------------------------------------------------

    @classmethod
    async def open(
        cls,
        server: Server,
        token: str | None,
        *,
        name: str = "device",
        how: str = "header",
        origin: str | None = None,
        wait_ready: bool = True,
        strict: bool = True,
    ) -> "Device":
        """Connect with a credential in the header, as a subprotocol (`how="subprotocol"`) or as the first frame (`"frame"`)."""
        headers = {"Authorization": f"Bearer {token}"} if token and how == "header" else {}
        offered = [Subprotocol("quintet.v1")]
        if token and how == "subprotocol":
            offered.append(Subprotocol("bearer." + base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode()))
        ws = await connect(
            f"ws://localhost:{server.port}/v1/ws",
            origin=Origin(origin) if origin else None,
            subprotocols=offered,
            additional_headers=headers,
            user_agent_header="a test",
            compression=None,
            max_size=None,
            max_queue=None,
            ping_interval=None,
            proxy=None,
            open_timeout=STEP_SECONDS,
            close_timeout=2,
        )
        device = cls(server, name, ws, strict=strict)
        device._reader = asyncio.create_task(device._read())
        if token and how == "frame":
            await device.put({"do": "auth", "token": token})
        if wait_ready:
            device.ready = await device.frame("ready", lambda b: b["type"] == "ready")
        return device

    async def close(self) -> None:
        """Leave politely."""
        await self.ws.close()
        await self._ended()

    async def cut(self) -> None:
        """Drop the connection without a word (a reset, not a close)."""
        self.ws.transport.abort()
        await self._ended()

    async def closed(self, within: float = STEP_SECONDS) -> tuple[int, str]:
        """Wait until the server closed the socket: close code and reason."""

        def look() -> tuple[int, str] | None:
            return (self.close_code, self.close_reason) if self.close_code is not None else None

        return await self.step("the server to close the socket", look, within, even_closed=True)

    # --- the verbs ----------------------------------------------------------------------------------------------------

    async def put(self, body: Body | str | bytes) -> float:
        """Send one frame; returns when (monotonic seconds)."""
        raw = body if isinstance(body, (str, bytes)) else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        shown = body if isinstance(body, dict) else {"raw": str(raw[:200])}
        at = time.monotonic()
        self.transcript.append(Frame(at, time.time(), sent=True, raw=str(raw)[:200].encode(), body=shown))
        try:
            await asyncio.wait_for(self.ws.send(raw), STEP_SECONDS)
        except (ConnectionClosed, TimeoutError) as fault:
            raise self.fault(f"could not send: {fault!r}") from fault
        return at

    async def request(self, do: str, /, **fields: Any) -> Body:
        """Send a verb and wait for the frame that answers its id."""
        number = f"q{next(self._ids)}"
        await self.put({"id": number, "do": do, **fields})
        return await self.frame(f"the answer to {do} {number}", lambda b: b.get("id") == number and "seq" not in b)

    async def follow(self, after: str) -> Body:
        """Follow from a cursor; returns `following` or `resync`."""
        return await self.request("follow", after=after)

    async def following(self, after: str) -> Body:
        """Follow from a cursor that must be good; returns `following` when it has caught up."""
        told = await self.follow(after)
        if told["type"] != "following":
            raise self.fault(f"follow from {after!r} was answered by {told}")
        begun = self._place_of(told)
        await self.step("caught_up", lambda: self._after(begun, "caught_up"))
        return told

    async def send(self, text: str | Body, client_id: str | None = None, **fields: Any) -> Said:
        """Send a message (a dictionary becomes JSON, the orders of a scripted agent) that must be accepted."""
        name = client_id or f"{self.name}-{secrets.token_hex(8)}"
        begun = time.monotonic()
        words = text if isinstance(text, str) else json.dumps(text)
        told = await self.request("send", client_id=name, text=words, **fields)
        if told["type"] != "result":
            raise self.fault(f"send was answered by {told}")
        return Said(told, begun, time.monotonic())

    async def cancel(self, run_id: str) -> Body:
        """Cancel a run; returns the answer."""
        return await self.request("cancel", run_id=run_id)

    # --- waiting for evidence -----------------------------------------------------------------------------------------

    async def frame(self, what: str, wanted: Callable[[Body], bool], within: float = STEP_SECONDS) -> Body:
        """The first received frame, of the whole transcript, for which `wanted` holds."""

        def look() -> Body | None:
            return next((f.body for f in self.transcript if not f.sent and wanted(f.body)), None)

        return await self.step(what, look, within)

    async def run(self, run_id: str, within: float = STEP_SECONDS) -> list[Event]:
        """All events of a run, collected until its final one."""

        def look() -> list[Event] | None:
            story = [e for e in self.events if e.run_id == run_id]
            return story if any(e.body.get("final") is True for e in story) else None

        return await self.step(f"the ending of {run_id}", look, within)

    async def event(self, what: str, wanted: Callable[[Event], bool], within: float = STEP_SECONDS) -> Event:
        """The first event of the feed for which `wanted` holds."""
        return await self.step(what, lambda: next((e for e in self.events if wanted(e)), None), within)

    async def tell(self, text: str | Body, agent: str, within: float = STEP_SECONDS, **fields: Any) -> list[Event]:
        """Send a message to an agent and collect its run until the ending; the feed must be followed already."""
        said = await self.send(text, agent=agent, **fields)
        return await self.run(said.run_id, within)

    async def step(
        self, what: str, look: Callable[[], T | None], within: float = STEP_SECONDS, *, even_closed: bool = False
    ) -> T:
        """Wait until `look` finds something. A fault, the end of the socket or the deadline shows the transcript."""
        deadline = time.monotonic() + within
        while True:
            self._news.clear()
            found = look()
            if self.faults and self.strict:
                raise self.fault(self.faults[0])
            if found is not None:
                return found
            if self.close_code is not None and not even_closed:
                raise self.fault(
                    f"the socket was closed ({self.close_code} {self.close_reason}) while waiting for {what}"
                )
            try:
                await asyncio.wait_for(self._news.wait(), max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise self.fault(f"waited {within} s in vain for {what}") from None

    # --- showing ------------------------------------------------------------------------------------------------------

    def fault(self, words: str) -> AssertionError:
        """The error to raise: the words, the transcript, the server's log."""
        return AssertionError(f"{self.name}: {words}\n{self.story()}\n{self.server.tail()}")

    def story(self) -> str:
        """The transcript as text: time, direction, frame."""
        zero = self.transcript[0].at if self.transcript else 0.0
        lines = [
            f"{f.at - zero:8.3f} {'->' if f.sent else '<-'} {f.raw[:400].decode(errors='replace')}"
            for f in self.transcript
        ]
        ending = (
            [f"{self.closed_at - zero:8.3f} closed {self.close_code} {self.close_reason}"] if self.close_code else []
        )
        return "\n".join([f"--- {self.name}: {len(lines)} frames ---", *lines, *ending])

    def received(self) -> bytes:
        """Every byte that was received in frames."""
        return b"\n".join(f.raw for f in self.transcript if not f.sent)

    # --- inside -------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                self._take(await self.ws.recv(decode=False))
        self.close_code, self.close_reason = self.ws.close_code or 1006, self.ws.close_reason or ""
        self.closed_at = time.monotonic()
        self._news.set()

    def _take(self, raw: bytes | str) -> None:
        raw = raw if isinstance(raw, bytes) else raw.encode()
        at, wall = time.monotonic(), time.time()
        try:
            body = json.loads(raw)
        except ValueError:
            body = {"type": "not JSON"}
        self.transcript.append(Frame(at, wall, sent=False, raw=raw, body=body))
        if has_null(body):
            self.faults.append("a frame holds a key that is null")
        if "seq" in body:
            self._event(Event(raw, body, at, wall))
        elif body.get("type") == "following":
            self._expected = int(body["last_seq"]) + 1
            self.events.clear()
        elif body.get("type") == "resync":
            self._expected = None
        elif body.get("type") == "heartbeat":
            self._ack = asyncio.ensure_future(self.ws.send(json.dumps({"do": "ack", "cursor": body["head"]})))
        self._news.set()

    def _event(self, event: Event) -> None:
        first = event.body.get("first_seq", event.seq)
        if self._expected is None:
            self.faults.append(f"event {event.seq} came while nothing was followed")
        elif first != self._expected:
            self.faults.append(f"event {first}..{event.seq} came where {self._expected} was due")
        if len(event.raw) > 65_536:
            self.faults.append(f"event {event.seq} has {len(event.raw)} bytes, more than 64 KiB")
        self._expected = event.seq + 1
        self.events.append(event)

    def _place_of(self, body: Body) -> int:
        return next(i for i, f in enumerate(self.transcript) if f.body is body)

    def _after(self, place: int, kind: str) -> Body | None:
        return next((f.body for f in self.transcript[place:] if not f.sent and f.body.get("type") == kind), None)

    async def _ended(self) -> None:
        if self._reader is not None:
            await asyncio.wait_for(self._reader, STEP_SECONDS)

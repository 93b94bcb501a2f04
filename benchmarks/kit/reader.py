"""`python -m benchmarks.kit.reader`: a process with many sockets that counts what arrives, so that clients cost the server nothing.

Commands come as lines of JSON. Every event carries its user's number (`"seq":`) in front and the moment it was made (`at=`, nanoseconds of the
machine's monotonic clock); the one is checked for every event, the other kept where asked for.
"""

import asyncio
import gc
import json
import sys
import time
from array import array
from collections.abc import Sequence
from typing import Any

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.kit.figures import percentiles

_AT_ONCE = 50  # handshakes
_ANSWER = (b'{"type":"result"', b'{"type":"error"')
_FINAL, _COMPLETED = b'"final":true', b'"agent_completed"'
_SEQ, _AT, _COMMA = b'"seq":', b"at=", b","


class _Tally:
    """What has arrived since it was last reset."""

    def __init__(self) -> None:
        self.stamps = True
        self.reset(0, b"")

    def reset(self, wanted: int, mark: bytes) -> None:
        self.wanted = wanted
        self.mark = mark
        self.events = 0
        self.bytes = 0
        self.disorder = 0
        self.last = 0
        self.delays = array("q")
        self.complete = asyncio.Event()

    def count(self, payload: bytes) -> None:
        self.events += 1
        self.bytes += len(payload)
        if self.stamps:
            place = payload.find(_AT)
            if place > 0:
                self.delays.append(time.monotonic_ns() - int(payload[place + 3 : place + 22]))
        if self.events == self.wanted:
            self.last = time.monotonic_ns()
            self.complete.set()


class _Reader(WSListener):
    """One socket. What is no event is kept as the newest answer."""

    def __init__(self, tally: _Tally) -> None:
        super().__init__()
        self.tally = tally
        self.seq = -1
        self.ready: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.transport: WSTransport | None = None
        self.wanted: bytes | tuple[bytes, ...] = ()
        self.ended: asyncio.Future[bool] | None = None
        self.closed = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.closed = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("a socket was closed"))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        place = payload.find(_SEQ, 0, 40)
        if place < 0:
            self._answered(payload)
            return
        seq = int(payload[place + 6 : payload.index(_COMMA, place)])
        if self.seq >= 0 and seq != self.seq + 1:
            self.tally.disorder += 1
        self.seq = seq
        if self.tally.mark in payload:
            self.tally.count(payload)
        if self.ended is not None and _FINAL in payload and not self.ended.done():
            self.ended.set_result(_COMPLETED in payload)

    def _answered(self, payload: bytes) -> None:
        if payload == b"2":  # a ping of engine.io
            self.say(b"3")
        elif payload.startswith(b'{"type":"heartbeat"'):
            self.say(b'{"do":"ack","cursor":"0"}')
        elif self.wanted and payload.startswith(self.wanted) and not self.ready.done():
            self.ready.set_result(payload)

    def say(self, text: bytes) -> None:
        assert self.transport is not None
        self.transport.send(WSMsgType.TEXT, text)

    async def ask(self, text: bytes | None, wanted: bytes | tuple[bytes, ...]) -> bytes:
        """Say `text`, and wait for the answer that begins with `wanted`."""
        self.wanted = wanted
        self.ready = asyncio.get_running_loop().create_future()
        if text is not None:
            self.say(text)
        return await asyncio.wait_for(self.ready, 30)


class _Crowd:
    """All sockets of this process."""

    def __init__(self) -> None:
        self.tally = _Tally()
        self.readers: list[_Reader] = []

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out one command and return its answer."""
        verb = getattr(self, f"do_{command.pop('do')}")
        answer: dict[str, Any] = await verb(**command)
        return answer

    async def do_connect(
        self, url: str, dialect: str, tokens: list[str], after: str = "$", also: Sequence[str] = ()
    ) -> dict[str, Any]:
        """A socket for each token, in turn at `url` and at those in `also`."""
        places, start, urls = asyncio.Semaphore(_AT_ONCE), time.monotonic(), (url, *also)

        async def one(number: int, token: str) -> _Reader:
            async with places:
                return await self._connect(urls[number % len(urls)], dialect, token, after)

        self.readers = list(await asyncio.gather(*(one(*numbered) for numbered in enumerate(tokens))))
        gc.collect()
        gc.freeze()
        return {"connected": len(self.readers), "seconds": time.monotonic() - start}

    async def _connect(self, url: str, dialect: str, token: str, after: str) -> _Reader:
        headers = {"Authorization": f"Bearer {token}"} if dialect == "quintet" else {}
        target = url.replace("http", "ws", 1)
        target += {"quintet": "/v1/ws", "plain": f"/ws/{token}"}.get(dialect, "/socket.io/?EIO=4&transport=websocket")
        reader = _Reader(self.tally)
        await ws_connect(lambda: reader, target, extra_headers=headers, read_buffer_init_size=4096)
        if dialect == "quintet":
            if not after:
                return reader
            await reader.ask(b'{"do":"follow","id":"f","after":"%s"}' % after.encode(), b'{"type":"following"')
        elif dialect == "socketio":
            await reader.ask(b"40" + json.dumps({"user": token}).encode(), b"40")
        else:
            await reader.ask(b"hello", b"hello")
        return reader

    async def do_send(self, text: str, agent: str) -> dict[str, Any]:
        """Every user sends one message."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int, reader: _Reader) -> None:
            words = {
                "do": "send",
                "id": "s",
                "client_id": f"{number}-{time.monotonic_ns()}",
                "text": text,
                "agent": agent,
            }
            async with places:
                answer = json.loads(await reader.ask(json.dumps(words).encode(), _ANSWER))
                if answer["type"] != "result":
                    raise RuntimeError(str(answer))

        await asyncio.gather(*(one(number, reader) for number, reader in enumerate(self.readers)))
        return {"sent": len(self.readers)}

    async def do_follow(self, after: str) -> dict[str, Any]:
        """Every socket follows, all at once."""
        start = time.monotonic_ns()
        ask = b'{"do":"follow","id":"f","after":"%s"}' % after.encode()
        for reader in self.readers:
            reader.say(ask)
        return {"now": start}

    async def do_converse(self, agent: str, seconds: float) -> dict[str, Any]:
        """Every user sends the next message when the last run has ended, for so many seconds."""
        self.tally.stamps = False
        self.tally.reset(0, b"")
        start, lasted, failed = time.monotonic(), array("d"), 0

        async def one(number: int, reader: _Reader) -> None:
            nonlocal failed
            said = 0
            while time.monotonic() < start + seconds:
                begun, said = time.monotonic(), said + 1
                reader.ended = asyncio.get_running_loop().create_future()
                reader.say(
                    b'{"do":"send","id":"s","client_id":"%d-%d-%d","text":"word","agent":"%s"}'
                    % (number, said, time.monotonic_ns(), agent.encode())
                )
                failed += not await asyncio.wait_for(reader.ended, 30)
                lasted.append((time.monotonic() - begun) * 1e6)

        await asyncio.gather(*(one(number, reader) for number, reader in enumerate(self.readers)))
        runs, over = len(lasted), time.monotonic() - start
        return {
            "runs": runs,
            "failed": failed,
            "per_second": runs / over,
            "events_per_run": round(self.tally.events / max(1, runs), 2),
            **percentiles(lasted),
        }

    async def do_expect(self, count: int, mark: str = "", stamps: bool = True) -> dict[str, Any]:
        """From now on count events that hold `mark`, until there are `count`."""
        self.tally.stamps = stamps
        self.tally.reset(count, mark.encode())
        return {"expecting": count, "now": time.monotonic_ns()}

    async def do_counted(self, seconds: float) -> dict[str, Any]:
        """Wait until all have come, so many seconds at most, and tell."""
        tally = self.tally
        try:
            await asyncio.wait_for(tally.complete.wait(), seconds)
        except TimeoutError:
            tally.last = time.monotonic_ns()
        return {
            "events": tally.events,
            "bytes": tally.bytes / max(1, tally.events),
            "disorder": tally.disorder,
            "last": tally.last,
            "closed": sum(reader.closed for reader in self.readers),
            "delays_us": percentiles([delay / 1000 for delay in tally.delays]),
        }

    async def do_leave(self) -> dict[str, Any]:
        for reader in self.readers:
            if reader.transport is not None:
                reader.transport.disconnect()
        self.readers = []
        return {"left": True}


async def _main() -> None:
    crowd, loop = _Crowd(), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            answer = await crowd.obey(json.loads(line))
        except Exception as error:
            answer = {"fault": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    gc.set_threshold(50_000, 20, 50)
    uvloop.run(_main())

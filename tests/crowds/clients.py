"""A process with many light clients: `python tests/crowds/clients.py`. Commands are lines of JSON, each answered by one.

`{"url", "tokens", "after"}`: every token connects at once, follows from the cursor, and reads to `caught_up`. Whoever is refused with a time
to wait waits and comes again, as a client does. The answer has, by token, the seconds it took and the last number, and every refusal.
"""

import asyncio
import base64
import json
import os
import struct
import sys
import time
from collections import Counter
from typing import Any

WITHIN = 60.0  # seconds for each to complete
PATIENCE = 0.2  # seconds before trying again where nobody listened
_SEQ = b'"seq":'


class Client:
    """One device: a TCP connection, frames cut out of the stream, the client rule."""

    def __init__(self, host: str, port: int, token: str, after: str, refused: Counter[str]) -> None:
        self.place = (host, port)
        self.token = token
        self.after = after
        self.refused = refused
        self.last = 0
        self.writer: asyncio.StreamWriter | None = None

    async def complete(self) -> dict[str, Any]:
        """Connect, again where that is asked for, and read until all is there."""
        begun = time.monotonic()
        async with asyncio.timeout(WITHIN):
            while not await self._once():
                pass
        return {"seconds": time.monotonic() - begun, "last": self.last}

    async def _once(self) -> bool:
        try:
            reader, self.writer = await asyncio.open_connection(*self.place)
        except OSError as fault:
            self.refused[type(fault).__name__] += 1
            await asyncio.sleep(PATIENCE)
            return False
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET /v1/ws HTTP/1.1\r\nHost: {self.place[0]}:{self.place[1]}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: quintet.v1\r\n"
            f"Authorization: Bearer {self.token}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status != 101:
            await self._again(str(status), head)
            return False
        self._say({"do": "follow", "id": "f", "after": self.after})
        return await self._read(reader)

    async def _read(self, reader: asyncio.StreamReader) -> bool:
        self.last = 0
        while True:
            opcode, payload = await _frame(reader)
            if opcode == 8:
                await self._again(str(struct.unpack("!H", payload[:2])[0]), b"")
                return False
            place = payload.find(_SEQ, 0, 40)
            if place >= 0:
                seq = int(payload[place + 6 : payload.index(b",", place)])
                if self.last and seq != self.last + 1:
                    raise AssertionError(f"{seq} came after {self.last}")
                self.last = seq
            elif b'"type":"caught_up"' in payload:
                return True

    async def _again(self, code: str, head: bytes) -> None:
        self.refused[code] += 1
        assert self.writer is not None
        self.writer.close()
        wait = next((line for line in head.split(b"\r\n") if line.lower().startswith(b"retry-after")), b": 1")
        await asyncio.sleep(float(wait.partition(b":")[2]))

    def _say(self, body: dict[str, str]) -> None:
        assert self.writer is not None
        payload = json.dumps(body).encode()
        key = os.urandom(4)
        size = len(payload)
        front = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
        self.writer.write(front + key + bytes(byte ^ key[n % 4] for n, byte in enumerate(payload)))


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    return first & 0x0F, await reader.readexactly(size)


async def _obey(command: dict[str, Any], clients: list[Client]) -> dict[str, Any]:
    for client in clients:  # those of the last command are still there: now they are cut, without a word
        if client.writer is not None:
            client.writer.transport.abort()
    host, port = command["url"].removeprefix("http://").split(":")
    refused: Counter[str] = Counter()
    clients[:] = [Client(host, int(port), token, command["after"], refused) for token in command["tokens"]]
    found = await asyncio.gather(*(client.complete() for client in clients), return_exceptions=True)
    faults = [repr(one) for one in found if isinstance(one, BaseException)]
    return {"completed": [one for one in found if isinstance(one, dict)], "refused": refused, "faults": faults[:5]}


async def _main() -> None:
    loop, clients = asyncio.get_running_loop(), list[Client]()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        sys.stdout.write(json.dumps(await _obey(json.loads(line), clients)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main())

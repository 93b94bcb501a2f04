"""What the Python peers share: commands on standard input, a paced producer, an event of a given size, uvicorn as fast as it goes.

Runs in the peers' own environment. The producer is the counterpart of the agents in `benchmarks/agents.py`: eight of them, each telling
events for its share of the users in turn, one `await` an event.
"""

import asyncio
import json
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import uvicorn

PRODUCERS = 8
TICK = 0.001
YIELD = 8

Tell = Callable[[str, int, str], Awaitable[None]]
"""Tell the user one event: its number among the user's, and its text."""


def event(number: int, text: str) -> dict[str, Any]:
    """An event of the shape that Quintet sends."""
    return {"v": 1, "seq": number, "type": "agent_thinking", "data": {"text": text, "step": number}}


class Producing:
    """Plays for `users`, which connect before."""

    def __init__(self, tell: Tell, around: int = 92) -> None:
        """`around`: bytes that the frame has besides the padding."""
        self.users: list[str] = []
        self._tell = tell
        self._around = around
        self._numbers: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def listen(self) -> None:
        """Take commands from standard input from now on."""
        loop = asyncio.get_running_loop()

        def obey() -> None:
            for line in sys.stdin:
                words = json.loads(line)
                if words["do"] == "play":
                    loop.call_soon_threadsafe(self._play, words["rate"], words["each"], words["bytes"])
                print(json.dumps({"members": len(self.users)}), flush=True)

        threading.Thread(target=obey, daemon=True).start()

    def _play(self, rate: float, each: int, size: int) -> None:
        users = sorted(self.users)
        shares = [users[start::PRODUCERS] for start in range(PRODUCERS)]
        padding = "x" * max(0, size - self._around)
        self._tasks = [
            asyncio.create_task(self._tell_all(share, rate * len(share) / len(users), each * len(share), padding))
            for share in shares
            if share
        ]

    async def _tell_all(self, users: Sequence[str], rate: float, events: int, padding: str) -> None:
        start, told, numbers = time.monotonic(), 0, self._numbers
        while told < events:
            due = told + YIELD if rate <= 0 else int((time.monotonic() - start) * rate) + 1
            while told < min(due, events):
                user = users[told % len(users)]
                number = numbers[user] = numbers.get(user, 0) + 1
                await self._tell(user, number, f"at={time.monotonic_ns():019d}{padding}")
                told += 1
            await asyncio.sleep(0 if rate <= 0 else max(TICK, start + told / rate - time.monotonic()))


def serve(application: Any) -> None:
    """Uvicorn with its fastest parts: uvloop, httptools, the sansio WebSocket, no compression, no access log."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen(2048)
    config = uvicorn.Config(
        application, loop="uvloop", http="httptools", ws="websockets-sansio", ws_per_message_deflate=False,
        access_log=False, log_level="warning", ws_ping_interval=None,
    )  # fmt: skip
    print(f"The peer is listening on http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run([bound])

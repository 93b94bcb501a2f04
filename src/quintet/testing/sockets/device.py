"""A socket of a Quintet server: one device of a user, and the verbs of the wire.

What the protocol promises of every feed is checked on every frame: the numbers are dense after `following`, nothing comes after
`resync`, no key is null, no event is over 64 KiB.
"""

import asyncio
import itertools
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Self

from quintet.testing.contracts import Mapping, Seen, Story
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connection import Connection, Credential
from quintet.testing.targets import Target

__all__ = ["PATH", "SUBPROTOCOL", "Device", "Said"]

PATH, SUBPROTOCOL = "/v1/ws", "quintet.v1"
LONGEST_EVENT = 65_536  # bytes (docs/wire.md, 2)


@dataclass(frozen=True)
class Said:
    """A message that was sent: the server's answer, and when it was sent and answered (monotonic seconds)."""

    answer: dict[str, Any]
    sent_at: float
    answered_at: float

    @property
    def run_id(self) -> str:
        """The run it started."""
        return str(self.answer["run_id"])

    @property
    def thread_id(self) -> str:
        """The thread it lies in."""
        return str(self.answer["thread_id"])


class Device(Connection):
    """One socket at `/v1/ws`."""

    def __init__(self, name: str, target: Target, loop: LoopThread, mapping: Mapping, *, strict: bool) -> None:
        super().__init__(name, target, loop, mapping, strict=strict)
        self.ready: dict[str, Any] = {}
        self._ids = itertools.count()
        self._followed = False
        self._acks: set[asyncio.Task[None]] = set()

    async def greeted(
        self, credential: Credential | None, *, origin: str | None = None, wait_ready: bool = True
    ) -> Self:
        """Connect, and wait for `ready`. Raises `Refused`, `ConnectionFault`."""
        await self.open(self.target.at("ws", PATH), credential, subprotocols=[SUBPROTOCOL], origin=origin)
        if wait_ready:
            self.ready = (await self.find("ready", lambda seen: seen.type == "ready")).body
        return self

    async def request(self, do: str, /, **fields: Any) -> dict[str, Any]:
        """Send a verb and wait for the frame that answers its id."""
        number = f"q{next(self._ids)}"
        await self.send({"id": number, "do": do, **fields})
        what = f"the answer to {do} {number}"
        return (await self.find(what, lambda seen: not seen.event and seen.body.get("id") == number)).body

    async def follow(self, after: str) -> dict[str, Any]:
        """Follow from a cursor; returns `following` or `resync`."""
        return await self.request("follow", after=after)

    async def following(self, after: str = "0") -> dict[str, Any]:
        """Follow from a cursor that must be good; returns `following` when it has caught up."""
        told = await self.follow(after)
        if told["type"] != "following":
            raise self.fault(f"follow from {after!r} was answered by {told}")
        begun = next(place for place, seen in enumerate(self.story) if seen.body is told)
        await self.step("caught_up", lambda: next((s for s in self.story[begun:] if s.type == "caught_up"), None))
        return told

    async def say(self, text: str | dict[str, Any], client_id: str | None = None, **fields: Any) -> Said:
        """Send a message (a dictionary becomes JSON) that must be accepted."""
        begun = time.monotonic()
        words = text if isinstance(text, str) else json.dumps(text)
        told = await self.request(
            "send", client_id=client_id or f"{self.name}-{secrets.token_hex(8)}", text=words, **fields
        )
        if told["type"] != "result":
            raise self.fault(f"send was answered by {told}")
        return Said(told, begun, time.monotonic())

    async def tell(
        self, text: str | dict[str, Any], agent: str | None = None, within: float | None = None, **fields: Any
    ) -> Story:
        """Send a message, to an agent or to the server's usual one, and collect its run until the ending; a feed must be followed
        already."""
        asked = fields if agent is None else {"agent": agent, **fields}
        return await self.run((await self.say(text, **asked)).run_id, within)

    async def cancel(self, run_id: str) -> dict[str, Any]:
        """Cancel a run; returns the answer."""
        return await self.request("cancel", run_id=run_id)

    # --- on the kit's loop --------------------------------------------------------------------------------------------

    def _take(self, raw: bytes | str) -> None:
        seen = self._came(raw if isinstance(raw, bytes) else raw.encode())
        if seen.type == "heartbeat" and (head := seen.body.get("head")):
            task = asyncio.ensure_future(self._ack(head))
            self._acks.add(task)
            task.add_done_callback(self._acks.discard)

    async def _ack(self, head: str) -> None:
        if self._socket is not None and self.close_code is None:
            await self._socket.send(json.dumps({"do": "ack", "cursor": head}))

    def _judge(self, seen: Seen) -> None:
        if _has_null(seen.body):
            self.faults.append("a frame holds a key that is null")
        if seen.event and not self._followed:
            self.faults.append(f"{seen} came while nothing was followed")
        if seen.event and len(seen.raw) > LONGEST_EVENT:
            self.faults.append(f"{seen} has {len(seen.raw)} bytes, more than 64 KiB")
        if seen.kind in {"following", "resync"}:
            self._followed = seen.kind == "following"
        super()._judge(seen)


def _has_null(body: dict[str, Any]) -> bool:
    levels = (body, body.get("data"), body.get("agent"))
    return any(part is None for level in levels if isinstance(level, dict) for part in level.values())

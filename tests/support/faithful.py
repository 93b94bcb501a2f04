"""A user who goes on through every crash: keeps the client rule, sends again what was not answered, and remembers everything.

The history is written by the client: what was seen (bytes by number), what was answered (by client id), how far each device came.
The oracle (`support.oracle`) reads it beside the database.
"""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException

from support import oracle
from support.frames import Event
from support.kept import read
from support.server import Server
from support.socket import Device
from support.users import Account

__all__ = ["Faithful", "heal", "living"]

UNREACHABLE = (OSError, WebSocketException, TimeoutError, EOFError)


@dataclass
class Faithful:
    """One user with a device that writes and one that only reads, over any number of deaths of the server."""

    server: Server
    account: Account
    name: str
    chance: random.Random
    seen: dict[int, bytes] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)  # by device: the last number applied by the client rule
    faults: list[str] = field(default_factory=list)
    resumed: int = 0
    repeated: int = 0
    connected: int = 0  # devices whose socket is not done with: what they saw is in `seen` once they are
    _sent: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)  # by client id: the orders, the agent
    _unanswered: str | None = None
    _resting: bool = False
    _head: int | None = None  # where both devices may leave

    @property
    def user_id(self) -> str:
        """Whose history this is."""
        return self.account.id

    async def live(self) -> None:
        """Write and read until cancelled, or until `settle` has said where to end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._device("writer", writes=True))
            group.create_task(self._device("reader", writes=False))

    async def goes_on(self, within: float = 30.0) -> None:
        """Wait until something more is answered."""
        before = len(self.answers)
        deadline = asyncio.get_running_loop().time() + within
        while len(self.answers) == before:
            assert asyncio.get_running_loop().time() < deadline, f"{self.name} is not answered\n{self.server.tail()}"
            await asyncio.sleep(0.02)

    async def settle(self, within: float = 60.0) -> int:
        """Write nothing more; when all is answered and no run is open, both devices read to the head, and `live` ends there."""
        self._resting = True
        deadline = asyncio.get_running_loop().time() + within
        told: dict[str, Any] | None = None
        while told is None or told["runs"]:
            assert asyncio.get_running_loop().time() < deadline, (
                f"{self.name} finds no rest: unanswered {self._unanswered}, open {told and told['runs']}\n{self.server.tail()}"
            )
            if self._unanswered is None:  # asked first: what is answered now is in the snapshot after it
                told = await self.account.snapshot()
            await asyncio.sleep(0.05)
        self._head = int(told["last_seq"])
        return self._head

    async def _device(self, role: str, *, writes: bool) -> None:
        cursor, last = "0", 0
        while self._head is None or last < self._head:
            device: Device | None = None
            try:
                device = await Device.open(self.server, self.account.access_token, name=f"{self.name} {role}")
                self.connected += 1
                await device.following(cursor)
                self.resumed += last > 0
                if writes:
                    await self._write(device)
                await self._watch(device)
            except (*UNREACHABLE, AssertionError) as fault:
                if isinstance(fault, AssertionError) and device is not None and not await _dead(device):
                    self.faults.append(str(fault))
                    raise
            finally:
                if device is not None:
                    cursor, last = self._remember(device, cursor, last)
                    self.reached[role] = last
                    self.connected -= 1
                    await device.close()
            await asyncio.sleep(0.02)

    async def _watch(self, device: Device) -> None:
        """Until the head where all ends has come, or the server has gone."""
        while self._head is None or not device.events or device.events[-1].seq < self._head:
            if device.close_code is not None or device.faults:
                return
            await asyncio.sleep(0.02)

    async def _write(self, device: Device) -> None:
        while not self._resting or self._unanswered is not None:
            self.repeated += self._unanswered is not None
            client_id = self._unanswered = self._unanswered or self._next()
            orders, agent = self._sent[client_id]
            said = await device.send(orders, client_id=client_id, agent=agent)
            self._answered(client_id, said.answer)
            self._unanswered = None
            if self.chance.random() < 0.7:
                await device.run(said.run_id, 60)
            else:
                await asyncio.sleep(self.chance.random() * 0.3)

    def _next(self) -> str:
        client_id = f"{self.name}-{len(self._sent) + 1}"
        agent = self.chance.choice(["stepper", "stepper", "coordinator", "streamer"])
        orders = {
            "steps": self.chance.randint(1, 12),
            "pause": 0.01,
            "pieces": 10,
            "mark": client_id,
            "topic": client_id,
        }
        self._sent[client_id] = (orders, agent)
        return client_id

    def _answered(self, client_id: str, answer: dict[str, Any]) -> None:
        told = {k: v for k, v in answer.items() if k != "id"}
        known = self.answers.setdefault(client_id, told)
        if known != told:
            self.faults.append(f"{client_id} was answered {known}, and later {told}")

    def _remember(self, device: Device, cursor: str, last: int) -> tuple[str, int]:
        """The client rule: apply what comes next, drop what was applied; a repeat must be the same bytes."""
        self.faults.extend(device.faults)
        for event in device.events:
            known = self.seen.setdefault(event.seq, event.raw)
            if known != event.raw:
                self.faults.append(f"{event.seq} was\n{known!r}\nand is\n{event.raw!r}")
            if event.body.get("first_seq", event.seq) == last + 1:
                cursor, last = str(event["cursor"]), event.seq
        return cursor, last

    # --- between two lives of the server ------------------------------------------------------------------------------

    async def alone(self, within: float = 15.0) -> None:
        """Wait, while the server is down, until all that arrived of its last life is in `seen`."""
        deadline = asyncio.get_running_loop().time() + within
        while self.connected:
            assert asyncio.get_running_loop().time() < deadline, f"{self.name} still has a socket at a dead server"
            await asyncio.sleep(0.01)

    async def audit(self) -> list[Event]:
        """Read the whole log on a fresh device: all that was ever seen is in it, the same bytes. Repeat some sends."""
        device = await Device.open(self.server, self.account.access_token, name=f"{self.name} auditor")
        try:
            await device.following("0")
            log = {e.seq: e.raw for e in device.events}
            for seq, raw in self.seen.items():
                assert log.get(seq) == raw, f"{self.name} saw {seq} as\n{raw!r}\nand now it is\n{log.get(seq)!r}"
            for client_id in self.chance.sample(sorted(self.answers), min(3, len(self.answers))):
                orders, agent = self._sent[client_id]
                assert self._accepted(device.events, client_id).data["text"] == json.dumps(orders)
                said = await device.send(orders, client_id=client_id, agent=agent)
                self._answered(client_id, said.answer)
            return list(device.events)
        finally:
            await device.close()

    def _accepted(self, log: list[Event], client_id: str) -> Event:
        found = [e for e in log if e.type == "message_accepted" and e.data["client_id"] == client_id]
        assert len(found) == 1, f"{client_id} was answered, and is {len(found)} times in the log"
        told = self.answers[client_id]
        assert (found[0]["run_id"], found[0]["cursor"]) == (told["run_id"], told["cursor"])
        return found[0]


@contextlib.asynccontextmanager
async def living(people: Sequence[Faithful]) -> AsyncIterator["asyncio.Future[list[None]]"]:
    """Their lives, all of them at once; none goes on afterwards."""
    lives = asyncio.gather(*(person.live() for person in people))
    try:
        yield lives
    finally:
        lives.cancel()
        await asyncio.gather(lives, return_exceptions=True)


async def heal(
    server: Server, people: Sequence[Faithful], lives: "asyncio.Future[list[None]]", copy: Path
) -> Counter[str]:
    """Let all come to rest, and let the oracle judge. Returns how the accepted runs ended. `lives` is that of `living`."""
    async with asyncio.timeout(90):
        await asyncio.gather(lives, *(person.settle() for person in people))  # one that has given up ends the waiting
    for person in people:
        await person.audit()
    return oracle.check_healed(read(server.database(copy)), people, server.done())


async def _dead(device: Device) -> bool:
    """Whether the step failed because the server is gone, which is no fault of anybody."""
    with contextlib.suppress(AssertionError):
        await device.closed(2)
    return device.close_code is not None

"""A user who goes on through every crash: keeps the client rule, sends again what was not answered, and remembers everything.

The history is written by the client: what was seen (bytes by number), what was answered (by client id). The oracle of the crash
tests reads it beside the database.
"""

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import WebSocketException

from support.frames import Event
from support.server import Server
from support.socket import Device
from support.users import Account

__all__ = ["Faithful"]

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
    faults: list[str] = field(default_factory=list)
    resumed: int = 0
    repeated: int = 0
    _sent: int = 0
    _unanswered: tuple[str, dict[str, Any], str] | None = None

    async def live(self) -> None:
        """Write and read until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._device("writer", writes=True))
            group.create_task(self._device("reader", writes=False))

    async def _device(self, role: str, *, writes: bool) -> None:
        cursor, last = "0", 0
        while True:
            device: Device | None = None
            try:
                device = await Device.open(self.server, self.account.access_token, name=f"{self.name} {role}")
                await device.following(cursor)
                self.resumed += last > 0
                await (self._write(device) if writes else self._watch(device))
            except (*UNREACHABLE, AssertionError) as fault:
                if isinstance(fault, AssertionError) and device is not None and not await _dead(device):
                    self.faults.append(str(fault))
                    raise
            finally:
                if device is not None:
                    cursor, last = self._remember(device, cursor, last)
                    await device.close()
            await asyncio.sleep(0.02)

    async def _watch(self, device: Device) -> None:
        await device.step("the end of the server", lambda: None, 120)

    async def _write(self, device: Device) -> None:
        while True:
            client_id, orders, agent = self._unanswered or self._next()
            self.repeated += self._unanswered is not None
            self._unanswered = (client_id, orders, agent)
            said = await device.send(orders, client_id=client_id, agent=agent)
            self._answered(client_id, said.answer)
            self._unanswered = None
            if self.chance.random() < 0.7:
                await device.run(said.run_id, 60)
            else:
                await asyncio.sleep(self.chance.random() * 0.3)

    def _next(self) -> tuple[str, dict[str, Any], str]:
        self._sent += 1
        client_id = f"{self.name}-{self._sent}"
        agent = self.chance.choice(["stepper", "stepper", "coordinator", "streamer"])
        orders = {
            "steps": self.chance.randint(1, 12),
            "pause": 0.01,
            "pieces": 10,
            "mark": client_id,
            "topic": client_id,
        }
        return client_id, orders, agent

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

    async def audit(self) -> list[Event]:
        """Read the whole log on a fresh device: all that was ever seen is in it, the same bytes. Repeat some sends."""
        device = await Device.open(self.server, self.account.access_token, name=f"{self.name} auditor")
        try:
            await device.following("0")
            log = {e.seq: e.raw for e in device.events}
            for seq, raw in self.seen.items():
                assert log.get(seq) == raw, f"{self.name} saw {seq} as\n{raw!r}\nand now it is\n{log.get(seq)!r}"
            for client_id in self.chance.sample(sorted(self.answers), min(3, len(self.answers))):
                accepted = self._accepted(device.events, client_id)
                said = await device.send(
                    accepted.data["text"], client_id=client_id, agent=self._agent(device.events, accepted)
                )
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

    @staticmethod
    def _agent(log: list[Event], accepted: Event) -> str:
        """The agent that was asked: the root's name, which every started or ended run tells."""
        return next(
            (str(e["agent"]["name"]) for e in log if e.run_id == accepted.run_id and "agent" in e.body), "stepper"
        )


async def _dead(device: Device) -> bool:
    """Whether the step failed because the server is gone, which is no fault of anybody."""
    with contextlib.suppress(AssertionError):
        await device.closed(2)
    return device.close_code is not None

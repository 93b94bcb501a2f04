"""A user who goes on through every fault: keeps the client rule, sends again what was not answered, and remembers everything.

1. The history is written by the client: what was seen (bytes by number), what was answered (by client id), how far each device came. The
   oracle (`support.oracle`) reads it beside the database.
2. What a network or a busy server may do is borne: the device comes back with its cursor. What it may not do is a fault, and kept.
3. A device that hears nothing on a step for `PATIENCE` seconds gives its connection up, as real ones do; once the weather is `fair`, that
   is a fault too.
"""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from quintet.testing.accounts.account import Account, AccountError, register_many
from quintet.testing.contracts import Seen
from quintet.testing.sockets.connecting import Connect
from quintet.testing.sockets.connection import Refused
from quintet.testing.sockets.device import Device
from quintet.testing.sockets.reading import ConnectionFault
from support import oracle
from support.kept import read
from support.server import Server

__all__ = ["Faithful", "faithful", "heal", "living"]

PATIENCE = 8.0
PASSING = {
    "busy",
    "unavailable",
    "storage_full",
    "rate_limited",
    "queue_full",
}  # said by a server that is not well just now
_COME_BACK = 4500  # a close code below it says: reconnect
_STALE = {"invalid_token", "token_expired", "session_revoked"}


@dataclass
class Faithful:
    """One user with a device that writes and one that only reads. `place` is where they connect: the server, or a proxy before it."""

    server: Server
    account: Account
    name: str
    chance: random.Random
    connect: Connect
    place: Any
    seen: dict[int, bytes] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    answered: int = 0  # so often; what a new epoch makes worthless is counted, too
    reached: dict[str, int] = field(default_factory=dict)  # by device: the last number applied by the client rule
    faults: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)  # what was seldom and did happen
    connected: int = 0  # devices whose socket is not done with: what they saw is in `seen` once they are
    fair: bool = True
    most_steps: int = 12  # of one run
    _sent: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)  # by client id: the orders, the agent
    _unanswered: str | None = None
    _ended: set[str] = field(default_factory=set)  # runs whose ending a device has seen
    _renewing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _resting: bool = False
    _head: int | None = None  # where both devices may leave

    @property
    def user_id(self) -> str:
        """Whose history this is."""
        return self.account.id

    @property
    def resumed(self) -> int:
        """How often a device came back with a cursor."""
        return self.met["resumed"]

    @property
    def repeated(self) -> int:
        """How often the same was sent again."""
        return self.met["repeated"]

    async def live(self) -> None:
        """Write and read until cancelled, or until `settle` has said where to end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._device("writer", writes=True))
            group.create_task(self._device("reader", writes=False))

    async def goes_on(self, within: float = 30.0) -> None:
        """Wait until something more is answered."""
        before = self.answered
        deadline = asyncio.get_running_loop().time() + within
        while self.answered == before:
            assert asyncio.get_running_loop().time() < deadline, f"{self.name} is not answered\n{self.server.tail()}"
            await asyncio.sleep(0.02)

    async def settle(self, within: float = 60.0) -> int:
        """Write nothing more; when all is answered and no run is open, both devices read to the head, and `live` ends there."""
        self._resting = self.fair = True
        clock = asyncio.get_running_loop().time
        deadline, moved = clock() + within, clock()
        told: dict[str, Any] | None = None
        while told is None or told["runs"]:
            assert clock() < deadline, (
                f"{self.name} finds no rest: unanswered {self._unanswered}, open {told and told['runs']},"
                f" unchanged for {clock() - moved:.0f} s\n{self.server.tail()}"
            )
            if self._unanswered is None:  # asked first: what is answered now is in the snapshot after it
                before, told = told, await self.account.snapshot()
                moved = moved if told == before else clock()
            await asyncio.sleep(0.05)
        self._head = int(told["last_seq"])
        return self._head

    async def renewed(self) -> None:
        """New tokens for the same session, from the server itself."""
        self.account = await asyncio.to_thread(self.account.renewed)

    async def _renewed_since(self, token: str) -> None:
        """Unless the other device has done it. A renewal whose answer was lost cannot be had again: then sign in anew."""
        async with self._renewing:
            if self.account.access_token != token:
                return
            self.met["renewed"] += 1
            try:
                await self.renewed()
            except AccountError:
                self.account = await asyncio.to_thread(self.account.again)

    # --- a device -----------------------------------------------------------------------------------------------------

    async def _device(self, role: str, *, writes: bool) -> None:
        cursor, last = "0", 0
        while self._head is None or last < self._head:
            device: Device | None = None
            try:
                device = await self._opened(f"{self.name} {role}")
                self.connected += 1
                await self._follow(device, cursor, last)
                if writes:
                    await self._write(device)
                await self._watch(device)
            except (TimeoutError, ConnectionFault) as fault:
                await self._judge(device, fault)
            finally:
                if device is not None:
                    cursor, last = self._remember(device, cursor, last)
                    self.reached[role] = last
                    self.connected -= 1
                    await device.cut()
            await asyncio.sleep(0.02)

    async def _opened(self, name: str) -> Device:
        """Connected. A token that has become stale is renewed."""
        token = self.account.access_token
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.connect.device(self.place, self.account, after=None, name=name)
        except Refused as refusal:
            if refusal.status == 401 and any(code in str(refusal) for code in _STALE):
                with contextlib.suppress(httpx.HTTPError):
                    await self._renewed_since(token)
            elif refusal.status not in {0, 429, 502, 503}:
                self.faults.append(str(refusal))
            raise

    async def _follow(self, device: Device, cursor: str, last: int) -> None:
        async with asyncio.timeout(PATIENCE):
            told = await device.follow(cursor)
            if told["type"] == "error" and told["code"] in PASSING:
                self.met[told["code"]] += 1
                raise TimeoutError
            if told["type"] != "following":
                self.faults.append(f"{device.name}: follow from {cursor} was answered by {told}")
                raise device.fault(self.faults[-1])
            await device.find("caught_up", lambda seen: seen.type == "caught_up", PATIENCE)
        self.met["resumed"] += last > 0
        self.met["resumed inside a run"] += (
            last > 0 and bool(device.events) and device.events[0].run_order not in {None, 1}
        )

    async def _judge(self, device: Device | None, fault: Exception) -> None:
        """Whether a step failed for a reason that the weather explains."""
        if device is None:
            return
        if device.faults:  # a rule was broken, whatever the weather
            self.faults.append(str(fault))
            raise fault
        with contextlib.suppress(ConnectionFault):
            await device.closed(2)
        if device.close_code is None and self.fair and not isinstance(fault, TimeoutError):
            self.faults.append(str(fault))
            raise fault
        self.met["gave up"] += device.close_code is None
        if (device.close_code or 0) >= _COME_BACK:
            self.faults.append(device.fault("was sent away").args[0])
            raise fault

    async def _watch(self, device: Device) -> None:
        """Until the head where all ends has come, or the connection has gone."""
        while self._head is None or not device.events or (device.events[-1].order or 0) < self._head:
            if device.close_code is not None or device.faults:
                return
            await asyncio.sleep(0.02)

    async def _write(self, device: Device) -> None:
        while not self._resting or self._unanswered is not None:
            self.met["repeated"] += self._unanswered is not None
            client_id = self._unanswered = self._unanswered or self._next()
            orders, agent = self._sent[client_id]
            async with asyncio.timeout(None if self.fair else PATIENCE):
                told = await device.request("send", client_id=client_id, text=json.dumps(orders), agent=agent)
            if told["type"] == "error" and told["code"] in PASSING:
                self.met[told["code"]] += 1
                await asyncio.sleep(0.2)
                continue
            if told["type"] != "result":
                self.faults.append(f"{client_id} was answered by {told}")
                raise device.fault(self.faults[-1])
            self._answered(client_id, told)
            self._unanswered = None
            await self._pause(device, str(told["run_id"]))

    async def _pause(self, device: Device, run_id: str) -> None:
        """Sometimes until the answer is complete, sometimes not. What was sent again may have been answered whole long ago."""
        if run_id in self._ended:
            return
        if self.chance.random() < 0.7:
            await device.run(run_id, 60 if self.fair else PATIENCE)
        else:
            await asyncio.sleep(self.chance.random() * 0.3)

    def _next(self) -> str:
        client_id = f"{self.name}-{len(self._sent) + 1}"
        agent = self.chance.choice(["stepper", "stepper", "coordinator", "streamer"])
        orders = {
            "steps": self.chance.randint(1, self.most_steps),
            "pause": 0.01,
            "pieces": 10,
            "mark": client_id,
            "topic": client_id,
        }
        self._sent[client_id] = (orders, agent)
        return client_id

    def _answered(self, client_id: str, answer: dict[str, Any]) -> None:
        told = {k: v for k, v in answer.items() if k != "id"}
        self.answered += client_id not in self.answers
        known = self.answers.setdefault(client_id, told)
        if known != told:
            self.faults.append(f"{client_id} was answered {known}, and later {told}")

    def _remember(self, device: Device, cursor: str, last: int) -> tuple[str, int]:
        """The client rule: apply what comes next, drop what was applied; a repeat must be the same bytes."""
        self.faults.extend(device.faults)
        for event in list(device.events):
            assert event.order is not None
            known = self.seen.setdefault(event.order, event.raw)
            if known != event.raw:
                self.faults.append(f"{event.order} was\n{known!r}\nand is\n{event.raw!r}")
            if event.final:
                self._ended.add(str(event.run))
            if event.begins == last + 1:
                cursor, last = str(event.cursor), event.order
        return cursor, last

    # --- between two lives of the server ------------------------------------------------------------------------------

    async def alone(self, within: float = 15.0) -> None:
        """Wait, while the server is down, until all that arrived of its last life is in `seen`."""
        deadline = asyncio.get_running_loop().time() + within
        while self.connected:
            assert asyncio.get_running_loop().time() < deadline, f"{self.name} still has a socket at a dead server"
            await asyncio.sleep(0.01)

    async def audit(self) -> list[Seen]:
        """Read the whole log on a fresh device: all that was ever seen is in it, the same bytes. Repeat some sends."""
        device = await self.connect.device(self.server, self.account, name=f"{self.name} auditor")
        try:
            events = list(device.events)
            log = {event.order: event.raw for event in events}
            for seq, raw in self.seen.items():
                assert log.get(seq) == raw, f"{self.name} saw {seq} as\n{raw!r}\nand now it is\n{log.get(seq)!r}"
            for client_id in self.chance.sample(sorted(self.answers), min(3, len(self.answers))):
                orders, agent = self._sent[client_id]
                assert self._accepted(events, client_id).body["data"]["text"] == json.dumps(orders)
                said = await device.say(orders, client_id=client_id, agent=agent)
                self._answered(client_id, said.answer)
            return events
        finally:
            await device.close()

    def _accepted(self, log: Sequence[Seen], client_id: str) -> Seen:
        found = [e for e in log if e.type == "message_accepted" and e.body["data"]["client_id"] == client_id]
        assert len(found) == 1, f"{client_id} was answered, and is {len(found)} times in the log"
        told = self.answers[client_id]
        assert (found[0].run, found[0].cursor) == (told["run_id"], told["cursor"])
        return found[0]


def faithful(
    server: Server, connect: Connect, count: int, chance: Callable[[], random.Random], place: Any = None
) -> list[Faithful]:
    """Users who are really registered. `chance` makes a source of randomness for each."""
    accounts = register_many(server, count)
    return [
        Faithful(server, account, f"user{number}", chance(), connect, place or server)
        for number, account in enumerate(accounts)
    ]


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

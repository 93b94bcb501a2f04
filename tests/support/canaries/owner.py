"""A user who remembers all that was said, opened, sent and deleted, and judges every byte that comes: bodies, headers, frames, streams."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from quintet.testing.accounts.account import Account
from quintet.testing.contracts import Seen
from quintet.testing.sockets.device import Device
from quintet.testing.sockets.stream import Stream
from support.canaries.belongings import Belongings
from support.world import World

__all__ = ["File", "Owner", "Remark"]

FRAMES = 24  # on one socket: below the burst that a server takes, so that none is refused however quick the machine is


@dataclass
class Remark:
    """A message that was accepted."""

    message_id: str
    thread_id: str
    run_id: str
    text: str


@dataclass
class File:
    """An attachment as it was uploaded, and the thread it was sent to."""

    name: str
    content: bytes
    thread_id: str = ""


@dataclass(repr=False)
class Owner:
    """A user: the session and the socket in use, and everything said, opened, sent and deleted."""

    name: str
    world: World
    belongings: Belongings
    canary: str
    account: Account
    device: Device
    counts: Counter[str]  # what has occurred, by name, of everybody
    revoked: list[Account] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)  # of the threads that were opened with one, or renamed
    threads: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    remarks: list[Remark] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    doors: dict[str, str] = field(default_factory=dict)  # what opens or names the account, by kind of id
    cursors: dict[str, int | None] = field(default_factory=dict)  # every one ever received, and its position where told
    events: dict[int, bytes] = field(default_factory=dict)  # by position, as the socket in use brought them
    _heard: list[tuple[Device, int]] = field(default_factory=list)
    _words: int = 0
    _said: int = 0

    @classmethod
    async def appear(cls, name: str, world: World, belongings: Belongings, counts: Counter[str]) -> "Owner":
        """Register, and listen from the beginning."""
        account = await world.user()
        device = await world.device(account, name=name)
        owner = cls(name, world, belongings, belongings.introduce(name), account, device, counts)
        for token in (account.id, account.session_id, account.access_token, account.refresh_token):
            belongings.judge(name, token.encode(), "the answer to registering")
        owner._heard.append((device, 0))
        owner.listen()
        return owner

    def word(self) -> str:
        """Something to write that was never written before."""
        self._words += 1
        return f"{self.canary}n{self._words}e"

    def client_id(self) -> str:
        """The name of one's next message. Others name theirs the same, and it is nobody's business."""
        self._said += 1
        return f"message {self._said}"

    def alive(self, kind: str, known: str) -> bool:
        """Whether an own id still names something."""
        if kind == "thread_id":
            return known not in self.deleted
        if kind == "run_id":
            return next(r.thread_id for r in self.remarks if r.run_id == known) not in self.deleted
        if kind == "attachment_id":
            return self.files[known].thread_id not in self.deleted
        return known == self.account.session_id

    def ids(self, kind: str) -> list[str]:
        """All own ids of a kind, also of what is gone."""
        if kind == "thread_id":
            return self.threads
        if kind == "run_id":
            return [remark.run_id for remark in self.remarks]
        if kind == "attachment_id":
            return list(self.files)
        if kind in self.doors:
            return [self.doors[kind]]
        return [account.session_id for account in (self.account, *self.revoked)]

    def open_threads(self) -> list[str]:
        """Those that were not deleted."""
        return [thread for thread in self.threads if thread not in self.deleted]

    # --- what arrives -------------------------------------------------------------------------------------------------

    async def ask(self, verb: str, path: str, account: Account | None = None, **content: Any) -> httpx.Response:
        """One HTTP call; all bytes of its answer are judged."""
        answer = await (account or self.account).http.request(verb, path, **content)
        head = b"\r\n".join(b": ".join(pair) for pair in answer.headers.raw)
        self.belongings.judge(self.name, head + b"\r\n\r\n" + answer.content, f"{verb} {path}")
        if answer.headers.get("content-type") == "application/json":
            self._learn(answer.json())
        return answer

    async def got(self, path: str) -> Any:
        """The JSON of a GET that must answer 200."""
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, f"{path} answered {answer.status_code}: {answer.text}"
        return answer.json()

    async def request(self, do: str, **fields: Any) -> dict[str, Any]:
        """A verb on the socket in use, or on the next one where this one has sent enough; returns the answer."""
        if sum(frame.sent for frame in self.device.transcript) >= FRAMES:
            await self.device.close()
            await self.rejoin()
        return await self.device.request(do, **fields)

    async def another(self, account: Account | None = None, name: str = "another socket") -> Device:
        """One more socket, which does not follow yet."""
        device = await self.world.device(account or self.account, after=None, name=f"{self.name}, {name}")
        self._heard.append((device, 0))
        return device

    async def rejoin(self) -> None:
        """Another socket instead of the one in use, which has ended; it goes on after the last event that came."""
        self.listen()
        after = json.loads(self.events[max(self.events)])["cursor"] if self.events else "0"
        self.device = await self.another(name="the next socket")
        await self.device.following(after)

    def listen(self) -> None:
        """Judge what has come on every socket since, and remember the events of the one in use."""
        for place, (device, count) in enumerate(self._heard):
            frames = device.story[count:]
            for seen in frames:
                self.belongings.judge(self.name, seen.raw, f"a frame of {device.name}")
                self._learn(seen.body)
                if device is self.device:
                    self._event(seen)
            self._heard[place] = (device, count + len(frames))
        self._heard = [(d, n) for d, n in self._heard if d.close_code is None or n < len(d.story)]

    def streamed(self, stream: Stream) -> None:
        """Judge all that came on a stream."""
        self.belongings.judge(self.name, json.dumps(stream.headers).encode(), "the head of a stream")
        self.belongings.judge(self.name, stream.text, "a stream")
        for block in stream.blocks:
            if block.data:
                self._learn(block.body)

    async def over(self, run_id: str) -> None:
        """Wait until the socket in use has brought a run's ending."""

        def look() -> bool | None:
            self.listen()
            return run_id in self.ended or None

        await self.device.step(f"the ending of {run_id}", look)

    async def up_to(self, seq: int) -> None:
        """Wait until the socket in use has brought this event."""

        def look() -> bool | None:
            self.listen()
            return seq in self.events or None

        if seq:
            await self.device.step(f"event {seq}", look)

    def _event(self, seen: Seen) -> None:
        if seen.event:
            for seq in range(seen.body.get("first_seq") or seen["seq"], seen["seq"] + 1):
                self.events[seq] = seen.raw
            if seen.body.get("final"):
                self.ended.add(seen["run_id"])

    def _learn(self, told: Any) -> None:
        """Remember every cursor that stands in an answer."""
        if isinstance(told, dict):
            seq = told.get("seq", told.get("last_seq"))
            for key in ("cursor", "after", "head", "first"):
                cursor = told.get(key)
                if isinstance(cursor, str) and cursor.count(".") == 2:
                    self.cursors[cursor] = (
                        seq if key in {"cursor", "after"} and seq is not None else self.cursors.get(cursor)
                    )
        elif isinstance(told, list):
            for each in told:
                self._learn(each)

"""Who lives in a story: devices that keep the client rule over any number of sockets, and authors who write, stop and say it again."""

import asyncio
import json
from typing import TYPE_CHECKING

import msgspec

from deterministic.storage import Moment
from deterministic.times import LATE, PROMPT
from quintet.delivery.feed import Feed
from quintet.errors import QuintetError
from quintet.protocol import ClientRule, Send
from quintet.scope import Identity

if TYPE_CHECKING:
    from deterministic.story import Story

__all__ = ["Author", "Device"]


class _Frame(msgspec.Struct):
    type: str
    seq: int = 0
    first_seq: int = 0
    cursor: str = ""
    reason: str = ""


_frame_of = msgspec.json.Decoder(_Frame).decode


class Device:
    """One device of a user. It is the outlet of its feed, takes nothing for a while, hangs up, and comes back with its cursor."""

    def __init__(self, story: "Story", user_id: str, name: str) -> None:
        self.story = story
        self.user_id = user_id
        self.name = name
        self.seen: dict[int, bytes] = {}
        self.rule = ClientRule(0)
        self.cursor = "0"
        self.ended = ""
        self.lives = 0
        self.repeated = 0
        self.writable = True
        self._since = 0.0  # it has been there to take events
        self._older = ["0"]
        self._after: int | None = None

    # --- the outlet ---------------------------------------------------------------------------------------------------

    def write(self, payloads: list[bytes]) -> None:
        """Frames arrive."""
        try:
            for payload in payloads:
                self._take(_frame_of(payload), payload)
        except AssertionError as fault:  # a feed would log it and close
            self.story.scheduler.faults.append(fault)
        if payloads and self.story.chance.random() < self.story.plan.slow:
            self.writable = False

    def end(self, reason: str) -> None:
        """The server closes."""
        self.ended = reason
        if reason != "session_revoked":
            self.story.scheduler.faults.append(AssertionError(f"{self.name} was closed with {reason}"))

    def _take(self, frame: _Frame, payload: bytes) -> None:
        assert frame.type != "resync", f"{self.name} had a cursor of its own, and was told {frame.reason}"
        if not frame.seq:
            return
        committed = self.story.store.committed_at.get((self.user_id, frame.seq))
        assert committed is not None, f"{self.name} got {frame.seq} before it was committed: {payload!r}"
        assert self._may_see(committed), f"{self.name} got {frame.seq}, committed after it was shut out"
        first = frame.first_seq or frame.seq
        assert self._after is None or first == self._after + 1, f"{self.name} got {first} after {self._after}"
        self._after = frame.seq
        known = self.seen.setdefault(frame.seq, payload)
        assert known == payload, f"{self.name} saw {frame.seq} as\n{known!r}\nand now as\n{payload!r}"
        self._prompt(frame.seq, committed.time)
        self._apply(frame)

    def _may_see(self, committed: Moment) -> bool:
        """Not after the answer to a revocation; where its wake-up may be lost, the poll finds it."""
        out = self.story.revoked_at.get(self.user_id)
        if out is None or committed.step <= out.step:
            return True
        return self.story.patience > PROMPT and committed.time < out.time + LATE

    def _apply(self, frame: _Frame) -> None:
        verdict = self.rule.judge(frame.seq, frame.first_seq or None)
        assert verdict != "refollow", f"{self.name} has a hole before {frame.seq}"
        if verdict == "drop":
            self.repeated += 1
            return
        self.cursor = frame.cursor
        self._older.append(frame.cursor)

    def _prompt(self, seq: int, committed: float) -> None:
        """An event is not under way for long while the device is there to take it."""
        late = self.story.scheduler.now - max(committed, self._since)
        assert late < self.story.patience, f"event {seq} was {late:.2f} s on its way to {self.name}"

    def _missed(self) -> None:
        """Before it hangs up: what should have come has come."""
        due = self.story.store.committed_at.get((self.user_id, (self._after or 0) + 1))
        if self._after is not None and due is not None and self.writable and not self.ended:
            self._prompt(self._after + 1, due.time)

    # --- its life -----------------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """Socket after socket; the last one stays until everything has come."""
        while not self.ended and not self.story.over:
            await self._connect()

    async def _connect(self) -> None:
        chance = self.story.chance
        self.lives += 1
        self.writable = True
        feed = Feed(self.story.parts, Identity(self.user_id, self.name, 2**40), self)
        try:
            after = self.cursor if chance.random() < 0.8 else chance.choice(self._older)
            self._after, self._since = None, self.story.scheduler.now
            await feed.follow(after, "f")
            stays = self._since + chance.uniform(0.0, self.story.plan.stay)
            while self._stays(stays):
                await asyncio.sleep(chance.uniform(0.0, 0.3))
                if not self.writable:
                    self.writable = True
                    self._since = self.story.scheduler.now
                    feed.wake()
            self._missed()
        except QuintetError:
            await asyncio.sleep(0.1)
        finally:
            feed.close()

    def _stays(self, until: float) -> bool:
        if self.ended:
            return False
        if self.story.healed:
            return not self.story.over
        return self.story.scheduler.now < until


class Author:
    """Writes messages, repeats what was not answered, and stops some of the runs."""

    def __init__(self, story: "Story", user_id: str) -> None:
        self.story = story
        self.user_id = user_id
        self.answers: dict[str, dict[str, str]] = {}
        self.stopped: list[str] = []
        self.shut_out = False

    async def live(self) -> None:
        """All of it."""
        chance, threads = self.story.chance, [None]
        for number in range(self.story.plan.messages):
            words = {
                "steps": chance.choice((0, 3, 40)),
                "tools": chance.randint(0, 3),
                "mark": f"{self.user_id}-{number}",
            }
            thread = chance.choice([None, *threads])
            sent = Send(f"c{number}", json.dumps(words), thread, chance.choice(["worker", "worker", "parent"]))
            answer = await self._send(sent)
            if chance.random() < 0.2:
                assert await self._send(sent) == answer, "the same message was answered in another way"
            self.answers[sent.client_id] = answer
            await asyncio.sleep(chance.choice((0.0, 0.3, 3.0)))
            if chance.random() < 0.3:
                await self._cancel(answer["run_id"])

    async def _send(self, sent: Send) -> dict[str, str]:
        while True:
            try:
                return await self.story.parts.submit(Identity(self.user_id, "a", 2**40).scope, sent)
            except QuintetError as refusal:
                assert refusal.code in {"busy", "storage_full", "unavailable", "queue_full"}, refusal.code
                await asyncio.sleep(0.2)

    async def _cancel(self, run_id: str) -> None:
        try:
            told = await self.story.parts.cancel(Identity(self.user_id, "a", 2**40).scope, run_id)
        except QuintetError:
            return
        self.story.stopped_at.setdefault(run_id, self.story.scheduler.steps)
        self.stopped.append(told["run_id"])

"""Known ways to get it wrong, each planted for the length of a test: within a number of seeds a story must go red."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from deterministic.story import Story
from quintet.delivery.feed import Feed
from quintet.engine.outbox import Outbox
from quintet.log import Fenced, Resync, numbers
from quintet.log.stream import Stream

__all__ = ["DEFECTS", "Plant", "Sign"]

Plant = Callable[[pytest.MonkeyPatch, list[Callable[[Story], None]]], None]


def read_before_registering(patch: pytest.MonkeyPatch, _stories: list[Callable[[Story], None]]) -> None:
    """A feed reads what is there, and then registers for what comes."""
    old = Feed.follow

    async def follow(self: Feed, cursor: str, frame_id: str) -> bool:
        self._follower.close()
        found = await self._parts.log.resolve(self.identity.user_id, cursor)
        answer = await old(self, cursor, frame_id)
        while not isinstance(found, Resync) and self._task is not None:
            await asyncio.sleep(0)
        self._follower = self._parts.log.follow(self.identity.user_id, self.wake)
        return answer

    patch.setattr(Feed, "follow", follow)


def skip_the_fence(patch: pytest.MonkeyPatch, _stories: list[Callable[[Story], None]]) -> None:
    """An append is stored whatever became of its run."""
    patch.setattr(numbers._Fence, "refusal", lambda _self, _append: None)


def begin_after_a_cancel(patch: pytest.MonkeyPatch, _stories: list[Callable[[Story], None]]) -> None:
    """The transaction that tells of a tool does not look whether the run was stopped."""

    def refusal(self: Any, append: Any) -> Exception | None:
        return Fenced() if self.state != "running" or self.attempt != append.attempt else None

    patch.setattr(numbers._Fence, "refusal", refusal)


def deliver_before_commit(_patch: pytest.MonkeyPatch, stories: list[Callable[[Story], None]]) -> None:
    """Followers are told while the transaction is still open."""
    stories.append(lambda story: setattr(story.store.committing, "order", ["publish", "commit", "wake", "settle"]))


def answer_before_commit(_patch: pytest.MonkeyPatch, stories: list[Callable[[Story], None]]) -> None:
    """Whoever wrote is answered while the transaction is still open."""
    stories.append(lambda story: setattr(story.store.committing, "order", ["settle", "commit", "publish", "wake"]))


def deaf_while_reading(patch: pytest.MonkeyPatch, _stories: list[Callable[[Story], None]]) -> None:
    """A wake-up that comes while a feed reads is forgotten."""
    old = Feed.wake

    def wake(self: Feed) -> None:
        if self._task is None:
            old(self)

    patch.setattr(Feed, "wake", wake)


def never_suspect(patch: pytest.MonkeyPatch, _stories: list[Callable[[Story], None]]) -> None:
    """A feed does not compare the revision of its session."""

    async def confirm(self: Feed, revision: int) -> bool:
        self._revision = max(self._revision, revision)
        return True

    patch.setattr(Feed, "_confirm", confirm)


def no_room_is_asked_for(patch: pytest.MonkeyPatch, _stories: list[Callable[[Story], None]]) -> None:
    """An agent tells on while the log is behind."""
    patch.setattr(Outbox, "_full", lambda _self: False)


def a_refused_batch_is_dropped(patch: pytest.MonkeyPatch, _stories: list[Callable[[Story], None]]) -> None:
    """What the store refuses once is not tried again."""
    patch.setattr(Outbox, "_try_again", lambda self, flight: self._stored(flight))


def a_refused_batch_goes_last(patch: pytest.MonkeyPatch, _stories: list[Callable[[Story], None]]) -> None:
    """What the store refuses once is tried again after what came later."""

    def try_again(self: Outbox, flight: Any) -> None:
        with self._lock:
            self._queue.extend(flight)
            self._delay = 0.05
            self._resting = True
        self._home.loop.call_later(self._delay, self._resend)

    patch.setattr(Outbox, "_try_again", try_again)


def a_ring_with_a_gap(patch: pytest.MonkeyPatch, _stories: list[Callable[[Story], None]]) -> None:
    """What is told late or not at all leaves a gap in the ring, and the ring is believed all the same."""

    def add(self: Stream, rows: Any) -> None:
        for row in rows:
            self.rows.append(row)
            self.head = max(self.head, row.seq)

    patch.setattr(Stream, "add", add)


class Sign(NamedTuple):
    """The promise that a defect breaks, and what the oracle says to it."""

    promise: int
    says: str


DEFECTS: dict[Plant, Sign] = {
    read_before_registering: Sign(3, "s on its way"),
    skip_the_fence: Sign(5, "no whole run"),
    begin_after_a_cancel: Sign(7, "a tool began after the stop"),
    deliver_before_commit: Sign(1, "before it was committed"),
    answer_before_commit: Sign(1, "no rest|IntegrityError|answered"),
    deaf_while_reading: Sign(3, "s on its way|no rest"),
    never_suspect: Sign(8, "shut out|no rest"),
    no_room_is_asked_for: Sign(9, "wait in an outbox"),
    a_refused_batch_is_dropped: Sign(2, "no whole run|no rest|not the text"),
    a_refused_batch_goes_last: Sign(2, "no whole run|not the text"),
    a_ring_with_a_gap: Sign(3, "a hole in the log|saw|got|closed with internal"),
}

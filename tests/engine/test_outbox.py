"""What one run has said and the log has not stored yet: each bound by itself, and what becomes of those who wait."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import pytest

from quintet.engine.counters import Counters
from quintet.engine.limits import Limits
from quintet.engine.outbox import Outbox
from quintet.errors import QuintetError
from quintet.events import Draft

pytestmark = pytest.mark.l1

EVENT = Draft("agent_thinking", "0" * 8, False, b"x" * 100)


class Desk:
    """The run's loop, its owner, and the log's door, which answers when the test says so."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.appends: list[tuple[list[Draft], Future[None]]] = []
        self.refused: list[BaseException] = []

    def append(self, drafts: Sequence[Draft]) -> "Future[None]":
        """Keep a batch until the test answers."""
        self.appends.append((list(drafts), Future()))
        return self.appends[-1][1]

    def post(self, call: Callable[[], None]) -> None:
        """At once: there is one thread here."""
        call()

    def cancel_was_committed(self, reason: str) -> None:
        """Not here."""

    def was_fenced(self) -> None:
        """Not here."""

    def cannot_store(self, error: BaseException) -> None:
        """The log refuses for good."""
        self.refused.append(error)


@pytest.mark.parametrize(
    ("bounds", "most"),
    [({"outbox": 5}, 5), ({"outbox_bytes": 600}, 6), ({"outbox_bytes": 601}, 7)],
    ids=["events", "bytes", "bytes begun"],
)
async def test_each_bound_of_what_waits_holds_by_itself(bounds: dict[str, int], most: int) -> None:
    """By the count alone and by the bytes alone: exactly so many are taken, what is in flight included, then one waits until some landed."""
    desk, limits = Desk(), Limits(batch=2, **bounds)
    outbox = Outbox(desk.append, desk, desk, limits, Counters())
    for _ in range(most):
        assert outbox.room() is None
        outbox.put(EVENT)
    room = outbox.room()
    assert room is not None
    assert [len(drafts) for drafts, _ in desk.appends] == [1], "one append in flight"
    desk.appends[0][1].set_result(None)
    async with asyncio.timeout(5):
        await room
    assert outbox.room() is None
    assert [len(drafts) for drafts, _ in desk.appends] == [1, 2], (
        "what gathered meanwhile goes as one batch, a bounded one"
    )


async def test_a_refused_batch_goes_again_first_and_no_place_is_lost_by_it() -> None:
    """The store says no for a moment: the same events go again before later ones, and afterwards as much fits as ever did."""
    desk = Desk()
    outbox = Outbox(desk.append, desk, desk, Limits(outbox=4, outbox_bytes=400), Counters())
    first, second = EVENT, Draft("text_delta", "1" * 8, False, b"y" * 100)
    outbox.put(first)
    outbox.put(second)
    desk.appends[0][1].set_exception(QuintetError("unavailable"))
    failing = [outbox.failing]
    async with asyncio.timeout(5):
        while len(desk.appends) < 2:
            await asyncio.sleep(0.01)
    assert desk.appends[1][0] == [first, second], "the refused one and the one behind it"
    desk.appends[1][1].set_result(None)
    assert [*failing, outbox.failing] == [True, False]
    for _ in range(4):
        assert outbox.room() is None
        outbox.put(EVENT)
    assert outbox.room() is not None


async def test_sealed_nobody_waits_any_more() -> None:
    """Sealed, it has room for everybody, takes nothing, and whoever waited for a place or for a durable event is let go."""
    desk, counters = Desk(), Counters()
    outbox = Outbox(desk.append, desk, desk, Limits(outbox=1), counters)
    durable = [desk.loop.create_future() for _ in range(3)]
    for waiter in durable[:2]:
        outbox.put(EVENT, waiter=waiter)
    room = outbox.room()
    assert room is not None
    outbox.seal()
    assert (room.done(), [waiter.cancelled() for waiter in durable[:2]]) == (True, [True, True])
    assert outbox.room() is None
    outbox.put(EVENT, waiter=durable[2])
    assert (durable[2].cancelled(), counters.refused, len(desk.appends)) == (True, 1, 1)

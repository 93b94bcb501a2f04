"""The bucket, the window, the counts of connections, and how long a reader may stand still."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.delivery.config import GatewayConfig
from quintet.delivery.connections import Connections
from quintet.delivery.deadlines import Deadlines
from quintet.delivery.limits import Bucket, Window
from quintet.scope import Identity
from quintet.sources import Sources

pytestmark = pytest.mark.l1


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    """Thirty at once, then ten a second; a pause fills it no higher than it was."""
    bucket = Bucket(10, 30, 0.0)
    assert [bucket.take(0.0) for _ in range(31)] == [True] * 30 + [False]
    assert [bucket.take(0.1 * n + 0.05) for n in range(1, 11)] == [True] * 10
    assert [bucket.take(1_000.0) for _ in range(31)] == [True] * 30 + [False]


@given(st.lists(st.floats(0, 2), max_size=200))
def test_a_bucket_never_gives_more_than_burst_and_rate(pauses: list[float]) -> None:
    """However the calls are spread."""
    bucket, now, given_ = Bucket(10, 30, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        given_ += bucket.take(now)
        assert given_ <= 30 + 10 * now + 1e-6


def test_a_window_bears_so_many_within_its_time() -> None:
    """The eleventh within a minute is one too many; spread wider, none is."""
    window = Window(10, 60)
    assert [window.exceeded(float(n)) for n in range(11)] == [False] * 10 + [True]
    window = Window(10, 60)
    assert not any(window.exceeded(n * 6.0) for n in range(100))


def test_counts_are_bounded_and_forgotten() -> None:
    """The one above the bound is not counted, and nobody leaves a trace who is gone."""
    connections = Connections(2, 1)
    assert [connections.take_user("u") for _ in range(3)] == [True, True, False]
    assert connections.take_user("v")
    assert [connections.take_address("a") for _ in range(2)] == [True, False]
    for user in ("u", "u", "v"):
        connections.leave_user(user)
    connections.leave_address("a")
    assert set(connections.snapshot().values()) == {0}
    assert not connections._users
    assert not connections._addresses


class _Still:
    """A peer that takes one more byte just after it was seen to stand still, and no other."""

    writable = True

    def __init__(self) -> None:
        self.bytes = 0
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def taken(self) -> int:
        self.bytes = min(self.bytes + 1, 2)
        return self.bytes

    def end(self, reason: str) -> None:
        self.ended.set_result(reason)


async def test_a_reader_that_stands_still_is_let_go_in_its_time() -> None:
    """After the time it has, and at most a fifteenth of it for the last byte that was taken between two looks: no period of looks later."""
    still, config = _Still(), GatewayConfig(slow_after=1.5)
    deadlines = Deadlines(config, Sources(), still, beat=lambda: None, notice=lambda: None)
    started = time.monotonic()
    deadlines.paused()
    assert await asyncio.wait_for(still.ended, 5) == "slow_consumer"
    assert 1.5 <= time.monotonic() - started < 1.8


class _Clock:
    """The monotonic clock of a process that is stopped for a while, as it tells of it afterwards."""

    stopped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.stopped


async def _after_a_stop(silence: float, admit: float | None) -> float:
    """How many seconds after a stop of 70 s a peer is let go that says nothing then, either."""
    peer, clock = _Still(), _Clock()
    config = GatewayConfig(heartbeat=0.1, silence=silence)
    deadlines = Deadlines(config, Sources(monotonic=clock), peer, beat=lambda: None, notice=lambda: None)
    if admit is None:
        deadlines.admitted(Identity("usr_1", "ses_1", int(time.time()) + 600))
    else:
        deadlines.admit_within(admit, "auth_timeout")
    clock.stopped = 70.0
    started = time.monotonic()
    assert await asyncio.wait_for(peer.ended, 5) == ("no_pong" if admit is None else "auth_timeout")
    return time.monotonic() - started


async def test_a_silence_that_was_ours_ends_nobody() -> None:
    """A server that stood still for longer than a peer may be silent, or has to say who it is, hears what came meanwhile before it judges."""
    assert await _after_a_stop(silence=0.1, admit=None) >= 1
    assert await _after_a_stop(silence=1.5, admit=None) >= 1.4
    assert await _after_a_stop(silence=60, admit=0.2) >= 1

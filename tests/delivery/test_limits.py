"""The bucket, the window, and the counts of connections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.delivery.connections import Connections
from quintet.delivery.limits import Bucket, Window

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

"""The ring alone: rows without a gap, bounded, and None for what it cannot answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.log import Row
from quintet.log.stream import RING_BYTES, RING_EVENTS, Follower, Stream

pytestmark = pytest.mark.l1


def row(seq: int, size: int = 10, first_seq: int | None = None) -> Row:
    """A row of this many bytes."""
    return Row(seq, first_seq or seq, b"x" * size)


def seqs(rows: list[Row] | None) -> list[int] | None:
    """Their positions."""
    return None if rows is None else [one.seq for one in rows]


def test_an_unknown_head_is_never_nothing_new() -> None:
    """Before anything was read or told, the ring does not know; only the database may say that nothing came."""
    stream = Stream()
    assert stream.after(0) is None
    assert stream.after(5) is None


def test_it_answers_from_where_it_begins() -> None:
    """What lies in it is answered from any position inside or just before it, nothing at its end, None before it."""
    stream = Stream()
    stream.add([row(5), row(6), row(7)])
    assert [seqs(stream.after(after)) for after in range(3, 9)] == [None, [5, 6, 7], [6, 7], [7], [], []]


def test_a_gap_empties_it() -> None:
    """A commit that was not told leaves no gap inside: what lay before it is forgotten."""
    stream = Stream()
    stream.add([row(1), row(2)])
    stream.add([row(4)])
    assert [seqs(stream.after(after)) for after in (1, 2, 3, 4)] == [None, None, [4], []]
    assert stream.size == 10


def test_what_is_told_again_is_not_kept_twice() -> None:
    """Rows that lie in it already change nothing."""
    stream = Stream()
    stream.add([row(1), row(2), row(3)])
    stream.add([row(2), row(3)])
    stream.add([row(3), row(4)])
    assert seqs(stream.after(0)) == [1, 2, 3, 4]
    assert stream.size == 40


def test_a_head_ahead_of_it_sends_readers_to_the_database() -> None:
    """When a newer head is known than it holds, it does not pretend to be complete."""
    stream = Stream()
    stream.add([row(1), row(2)])
    stream.head = 4
    assert stream.after(1) is None
    assert stream.after(4) == []
    stream.add([row(3), row(4)])
    assert seqs(stream.after(1)) == [2, 3, 4]


def test_a_range_joins_where_it_begins() -> None:
    """An event that stands for several follows the one before its first."""
    stream = Stream()
    stream.add([row(1), row(5, first_seq=2), row(6)])
    assert seqs(stream.after(1)) == [5, 6]
    assert seqs(stream.after(0)) == [1, 5, 6]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12), st.integers(1, RING_BYTES // 3)), max_size=40))
def test_it_stays_bounded_and_dense(additions: list[tuple[int, int, int]]) -> None:
    """Whatever is added, it stays within its bounds, counts its bytes rightly and has no gap."""
    stream, seq = Stream(), 0
    for skip, count, size in additions:
        seq += skip
        stream.add([row(seq + number + 1, size) for number in range(count)])
        seq += count
        assert len(stream.rows) <= RING_EVENTS
        assert stream.size == sum(len(one.frame) for one in stream.rows) <= RING_BYTES
        held = [one.seq for one in stream.rows]
        assert held == list(range(held[0], held[0] + len(held))) if held else True


def test_every_follower_is_woken_once() -> None:
    """A wake-up reaches each follower, past one that fails, and one that leaves meanwhile is no harm."""
    stream = Stream()
    woken: list[str] = []

    def fail() -> None:
        raise RuntimeError("broken")

    for wake in (lambda: woken.append("a"), fail, lambda: woken.append("b")):
        stream.followers.append(Follower(stream, wake, stream.followers.remove))
    stream.wake()
    stream.followers[0].close()
    stream.wake()
    assert woken == ["a", "b", "b"]

"""The client rule: what makes at-least-once exactly-once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.protocol import ClientRule

pytestmark = pytest.mark.l1


def test_the_next_is_applied_the_known_dropped_and_a_hole_means_following_again() -> None:
    """Protocol.md, section 3, to the letter, ranges included."""
    rule = ClientRule(4)
    assert rule.judge(5) == "apply"
    assert rule.judge(5) == "drop"
    assert rule.judge(7) == "refollow"
    assert rule.judge(9, first_seq=6) == "apply"
    assert rule.judge(8) == "drop"
    assert rule.judge(9, first_seq=6) == "drop"
    assert rule.last == 9


@given(st.integers(1, 30), st.lists(st.integers(0, 30), max_size=20))
def test_whatever_is_repeated_or_lost_each_event_is_applied_once_and_in_order(count: int, cuts: list[int]) -> None:
    """Feeds that begin anywhere at or before `last`, and may skip, never make the client apply twice or out of order."""
    rule, applied = ClientRule(0), []
    for cut in [*cuts, 0]:
        for seq in range(min(cut, rule.last) + 1, count + 1):
            verdict = rule.judge(seq)
            if verdict == "refollow":
                break
            if verdict == "apply":
                applied.append(seq)
            if cut and seq % cut == 0:
                break
    for seq in range(rule.last + 1, count + 1):
        assert rule.judge(seq) == "apply"
        applied.append(seq)
    assert applied == list(range(1, count + 1))

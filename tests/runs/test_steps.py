"""The table of legal steps, and the values a transaction is given instead of a clock."""

import itertools

import pytest

from quintet.runs import OPEN, STEPS, Ids, Moment
from quintet.runs.steps import step

pytestmark = pytest.mark.l1

STATES = ("queued", "running", "completed", "failed", "cancelled")
HAPPENINGS = ("leased", "completed", "failed", "cancelled")


def test_what_is_not_in_the_table_cannot_happen() -> None:
    """Nothing leads out of an ended state, nothing leads back, and only a lease leads to running."""
    assert {state for state, _ in STEPS} == OPEN == {"queued", "running"}
    for state, happens in itertools.product(STATES, HAPPENINGS):
        after = step(state, happens)
        assert (after is None) == ((state, happens) not in STEPS)
        if state not in OPEN:
            assert after is None
        if after == "running":
            assert (state, happens) == ("queued", "leased")
        assert after != "queued"
    assert step("queued", "completed") is None
    assert step("nowhere", "leased") is None


def test_ids_are_a_function_of_their_seed() -> None:
    """The same seed gives the same ids in the same order; another seed, or the next id, another."""
    moment = Moment(0, b"a" * 16)
    first, second = moment.ids(), moment.ids()
    ids = [first.event() for _ in range(1000)]
    assert ids == [second.event() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert len({one[:8] for one in ids}) > 990, "the digests of cursors come from their beginning"
    assert all(len(bytes.fromhex(one)) == 16 for one in ids)
    assert Ids(b"b" * 16).event() != ids[0]
    assert Ids(b"b" * 16).new("agt").startswith("agt_")

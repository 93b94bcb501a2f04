"""Breaches that one line of the oracle alone can see."""

from collections.abc import Callable

import pytest

from faults.test_oracle import RUN, USER, Case, case
from support.kept import Message

pytestmark = pytest.mark.l1

__all__ = ["case"]


def _no_device(case: Case) -> None:
    case.memory.reached.clear()


def _two_messages_of_one_run(case: Case) -> None:
    case.kept.messages[USER].append(Message("c2", RUN))


def _ends_before_it_begins(case: Case) -> None:
    case.put(4, seq=4)
    case.kept.heads[USER] = case.kept.heads[USER]._replace(seq=4)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_no_device, "had no device"),
        (_two_messages_of_one_run, "two messages of .* have one run"),
        (_ends_before_it_begins, r"5\.\.4 is no stretch"),
    ],
)
def test_a_breach_that_nothing_else_shows(harm: Callable[[Case], None], words: str, case: Case) -> None:
    """Everything else about the history is sound."""
    harm(case)
    with pytest.raises(AssertionError, match=words):
        case.judge()

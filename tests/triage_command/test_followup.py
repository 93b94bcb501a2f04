"""What can be asked about an analysis, and of which cause."""

import pytest

from quintet.triage.followup import answer, is_question
from triage.texts import Session
from triage_command.hostile import CANARY, SCRIPT, explained

pytestmark = pytest.mark.l1

ANALYSIS = (
    Session()
    .breaks("tests/test_a.py::test_x", "E   fixture 'ledger' not found")
    .breaks("tests/test_a.py::test_y", "E   fixture 'ledger' not found")
    .fails("tests/test_b.py::test_z", "E   RuntimeError: Task got Future attached to a different loop")
    .explained()
)


@pytest.mark.parametrize(
    ("question", "about", "cause"),
    [
        ("why is cause 2 probable?", "why", "cause-2"),
        ("Why?", "why", "cause-1"),
        ("which tests does cause-1 block?", "tests", "cause-1"),
        ("How do I fix the async one?", "fix", "cause-2"),
        ("what speaks against the first cause", "against", "cause-1"),
        ("who claimed #2?", "voices", "cause-2"),
        ("where is the evidence for cause 1", "evidence", "cause-1"),
        ("how do I check that cause 2 is gone?", "verify", "cause-2"),
        ("what did you not know?", "unknown", ""),
        ("what should we do first?", "plan", ""),
        ("what went wrong?", "causes", ""),
        ("what about test_z?", "test", ""),
        ("what is F1?", "fact", ""),
        ("tell me about cause 2", "cause", "cause-2"),
        ("hello", "", ""),
        ("cause 99", "", ""),
    ],
)
def test_what_is_asked(question: str, about: str, cause: str) -> None:
    """A table of questions and what each is understood as."""
    found = answer(ANALYSIS, question)
    assert (found.about, found.cause) == (about, cause)
    assert found.text.strip()


def test_it_is_the_cause_that_was_named_before() -> None:
    """`it` is looked for in the questions before; where nothing was named that is said."""
    assert answer(ANALYSIS, "which tests does it block?", ["why is cause 2 probable?"]).cause == "cause-2"
    assumed = answer(ANALYSIS, "which tests are affected?", ["why is cause 2 probable?"])
    assert assumed.cause == "cause-1" and "You named no cause" in assumed.text
    assert "test_nowhere" in answer(ANALYSIS, "why does test_nowhere fail?").text


def test_a_question_is_told_from_other_words() -> None:
    """So that a greeting is not answered with a report."""
    assert is_question("why is it probable?") and is_question("cause 3")
    assert not is_question("Hello!") and not is_question("thanks a lot")


def test_answers_are_as_harmless_as_the_report() -> None:
    """Secrets masked, markup inert, whatever is asked, however long."""
    for question in (
        "why is cause 1 probable?",
        "which tests does it block?",
        "what went wrong?",
        f"why {SCRIPT}",
        "why " * 20_000,
    ):
        told = answer(explained(), question).text
        assert CANARY not in told
        assert "\n<script" not in told and "](javascript" not in told

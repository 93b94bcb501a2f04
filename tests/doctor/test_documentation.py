"""The documentation's rules are those of the code."""

import re
from pathlib import Path

import pytest

from quintet.doctor.rules import RULES

pytestmark = pytest.mark.l1

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


def test_every_rule_is_documented() -> None:
    """Number, certainty, what it finds and its fix stand in the table as in the code, each with an example, and no rule beyond."""
    rows = [row for row in PAGE.read_text().split("\n") if re.match(r"\| [DQ]\d\d \|", row)]
    cells = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert [(number, kind, title, fix) for number, kind, title, _, fix in cells] == [
        (rule.number, rule.kind, rule.title, rule.fix) for rule in RULES
    ]
    assert all(example for _, _, _, example, _ in cells)


def test_a_rule_of_kind_s_only_suspects() -> None:
    """No finding of a rule of kind S can fail a build: making one raises."""
    for rule in RULES:
        if rule.kind == "S":
            with pytest.raises(ValueError, match="only suspect"):
                rule.certain("x")

"""Every rule fires where it should and nowhere near."""

from pathlib import Path

import pytest

from doctor.examples import EXAMPLES, Example, Files
from doctor.projects import PYTEST, Pythons, environment, pretend, write
from quintet.doctor import Examination, examination
from quintet.doctor.rules import RULES

pytestmark = pytest.mark.l2


def _examined(example: Example, files: Files, folder: Path, pythons: Pythons) -> Examination:
    python = pythons(*example.installed)
    if example.pretended:
        python = environment(folder / "python", tuple(name for name in PYTEST if name not in dict(example.pretended)))
        for name, version in example.pretended:
            pretend(python, name, version)
    return examination(write(folder / "project", files), probe=example.probe, python=python)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_rule_fires(example: Example, tmp_path: Path, pythons: Pythons) -> None:
    """The broken project gives the rule's finding with its certainty, a fix, and a place that exists."""
    found = _examined(example, example.broken, tmp_path, pythons)
    mine = [one for one in found.findings if one.rule == example.rule]
    assert [one.certainty for one in mine][:1] == [example.certainty], (found.findings, found.not_probed)
    for one in mine:
        assert one.fix
        assert one.file is None or (tmp_path / "project" / one.file).exists(), one


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_near_miss_is_none(example: Example, tmp_path: Path, pythons: Pythons) -> None:
    """What only looks alike gives no finding of the rule, and nothing certain at all."""
    found = _examined(example, example.near, tmp_path, pythons)
    wrong = [one for one in found.findings if one.rule == example.rule or one.certainty == "certain"]
    assert not wrong, "\n".join(f"{one.rule} {one.certainty} {one.statement}" for one in wrong)


def test_every_rule_has_an_example() -> None:
    """No rule goes unseen, but those that need something a test cannot take away; each of these has a test of its own."""
    alone = {"D24", "Q01", "Q02"}
    assert {rule.number for rule in RULES} - {example.rule for example in EXAMPLES} == alone

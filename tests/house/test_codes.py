"""One table of codes in the code, and the documentation says the same."""

import re
from pathlib import Path

import pytest

from quintet.errors import CLOSES, CODES, RUN_CODES

pytestmark = pytest.mark.l1

WIRE = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()


def _paragraph(start: str) -> str:
    return WIRE[WIRE.index(start) :].partition("\n\n")[0]


def test_every_code_is_documented_with_its_status() -> None:
    """Every refusal is a documented code, with the status that goes out, and no documented one is missing from the code."""
    documented: dict[str, int] = {}
    for group in _paragraph("Codes (HTTP status").replace("\n", " ").split("·"):
        status = int(re.findall(r"\b[45]\d\d\b", group)[-1])
        documented |= dict.fromkeys(re.findall(r"`([a-z_]+)`", group.partition("):")[2] or group), status)
    documented.pop("error", None)
    assert documented == {name: code.status for name, code in CODES.items()}


def test_every_code_of_a_run_is_documented() -> None:
    """What a run can fail with stands in the documentation, and nothing else."""
    assert set(re.findall(r"`([a-z_]+)`", _paragraph("In runs:"))) == set(RUN_CODES)


def test_every_close_code_is_documented() -> None:
    """Close codes, with their reasons: the number says whether to come back."""
    table = _paragraph("| code | reason | | code | reason |")
    documented = {
        (int(number), reason)
        for number, reasons in re.findall(r"(4\d\d\d) \| ((?:`[a-z_]+`(?:, )?)+)", table)
        for reason in re.findall(r"`([a-z_]+)`", reasons)
    }
    assert documented == {(close.number, close.reason) for close in CLOSES.values()}

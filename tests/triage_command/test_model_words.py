"""A language model's words in the terminal: below the report, marked, and never in its place."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from model.provider import Provider, Refusal, text, used
from triage.texts import Session
from triage_command.hostile import CANARY, hostile_text

pytestmark = pytest.mark.l3

KEY = "sk-canary-5f0a9b7d21"
RUN = Session(passed=2).breaks("tests/test_a.py::test_x", "E   fixture 'ledger' not found").text
GOOD = "summary: A test misses its fixture.\ncause-1: The fixture lives where this test does not look.\n"


async def _told(folder: Path, url: str, *options: str, report: str = RUN) -> tuple[int | None, str, str]:
    """The command in a process of its own, whose environment names the provider on loopback."""
    (folder / "run.txt").write_text(report, encoding="utf-8")
    variables = {"QUINTET_MODEL": "openai:scripted", "QUINTET_MODEL_BASE_URL": url, "QUINTET_MODEL_API_KEY": KEY}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "quintet", "triage", "run.txt", *options),
        cwd=folder,
        env={**os.environ, **variables, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_the_model_s_words_stand_below_the_report_under_its_name(tmp_path: Path) -> None:
    """The report's bytes are those without a model; below them stand the model's words, marked; `none` asks nobody."""
    async with Provider([*text(GOOD), used(7, 9)]) as provider:
        code, plain, _ = await _told(tmp_path, provider.url, "--model", "none", "--format", "markdown")
        assert provider.asked == []
        assert code == 1
        code, out, err = await _told(tmp_path, provider.url, "--format", "markdown")
    assert (code, err) == (1, "")
    assert out.startswith(plain)
    added = out.removeprefix(plain)
    assert "Worded by the language model `openai:scripted`" in added
    assert "**Summary**: A test misses its fixture." in added


async def test_forms_for_programs_ask_no_model(tmp_path: Path) -> None:
    """JSON is what it is, byte for byte, and nothing leaves the machine."""
    async with Provider([*text(GOOD), used(7, 9)]) as provider:
        _, out, _ = await _told(tmp_path, provider.url, "--format", "json")
    assert provider.asked == []
    assert "In other words" not in out


async def test_a_model_that_cannot_be_asked_costs_its_words_only(tmp_path: Path) -> None:
    """The report is whole, the reason is one line without the key; no secret of the log reaches the provider."""
    async with Provider(Refusal(401, f'{{"error": {{"message": "bad key {KEY}"}}}}')) as provider:
        code, out, err = await _told(tmp_path, provider.url, report=hostile_text())
        bodies = str([one.body for one in provider.asked])
    assert code == 1
    assert out.strip()
    assert err.startswith("No words of a model: ")
    assert len(err.strip().splitlines()) == 1
    assert KEY not in out + err
    assert provider.asked
    assert CANARY not in bodies

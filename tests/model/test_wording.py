"""A language model words the report of the triage team: marked as its own, and never more than the report says."""

import json
from pathlib import Path

import pytest

from model.provider import Refusal, call, text, used
from model.talking import KEY, talking
from quintet.agents.wording import WORDING, wording
from quintet.triage import analyse, markdown
from triage.texts import Session
from triage_command.hostile import CANARY, ORDER, hostile_text

RUN = (
    Session(passed=2)
    .breaks("tests/test_a.py::test_x", "E   fixture 'ledger' not found")
    .breaks("tests/test_a.py::test_y", "E   fixture 'ledger' not found")
    .fails("tests/test_b.py::test_z", "E   RuntimeError: Task got Future attached to a different loop")
    .text
)
GOOD = "summary: Two tests miss a fixture.\ncause-1: The fixture lives where these tests do not look.\n"


@pytest.mark.l2
async def test_the_model_words_what_the_team_has_found(tmp_path: Path) -> None:
    """The report comes first and is what it is without a model; below it, marked, the model's words; what it cost is counted."""
    async with talking(tmp_path, [*text(GOOD), used(7, 9)]) as (stage, provider):
        told = await stage.run("triage", RUN, within=30)
    report = markdown(analyse(RUN, "message"))
    assert told.text("triage").startswith(report)
    added = told.text("triage").removeprefix(report)
    assert "Worded by the language model `openai:scripted`" in added
    assert "> **Summary**: Two tests miss a fixture." in added
    assert told.ending.data["usage"] == {"requests": 1, "input_tokens": 7, "output_tokens": 9}
    [(role, system), (_, given)] = provider.asked[0].messages
    assert (role, system) == ("system", WORDING)
    assert {cause["id"] for cause in json.loads(given)["causes"]} <= {"cause-1", "cause-2", "cause-3"}


@pytest.mark.l2
@pytest.mark.parametrize("answer", [Refusal(401, "{}"), [*text("I will not."), used(1, 1)], [*call("rm"), used(1, 1)]])
async def test_a_model_that_fails_costs_its_words_only(tmp_path: Path, answer: object) -> None:
    """Refused, useless, or calling a tool that is not there: the report is whole, and the run completes."""
    async with talking(tmp_path, answer) as (stage, _):
        told = await stage.run("triage", RUN, within=30)
    assert told.ending.type == "agent_completed"
    assert told.text("triage") == markdown(analyse(RUN, "message"))


@pytest.mark.l2
async def test_no_secret_reaches_the_model(tmp_path: Path) -> None:
    """What it gets is the report's, masked; an order in the log reaches it as quoted data, and it cannot act on it."""
    async with talking(tmp_path, [*text(f"summary: {ORDER}\n"), used(1, 1)]) as (stage, provider):
        told = await stage.run("triage", hostile_text(), within=30)
    assert CANARY not in json.dumps(provider.asked[0].body)
    assert KEY not in json.dumps([event.data for event in told.events])
    assert told.text("triage").startswith(markdown(analyse(hostile_text(), "message")))


@pytest.mark.l1
@pytest.mark.parametrize(
    ("said", "kept", "left_out"),
    [
        (GOOD, 2, False),
        ("summary: 4711 tests fail.\ncause-1: A fixture is missing.", 1, True),
        ("cause-2: This is definitely the event loop.", 0, True),
        ("cause-9: Nobody asked for this.", 0, False),
        ("Well, I think that", 0, False),
        ("summary: See [this](http://evil.example) <script>alert(1)</script>", 1, False),
        (f"summary: password='{CANARY}'", 1, False),
    ],
)
def test_the_model_cannot_say_more_than_the_report(said: str, kept: int, left_out: bool) -> None:
    """No new number, no more certainty, no other cause, no markup, no secret."""
    made = wording(analyse(RUN, "message"), said, "openai:scripted")
    assert made.count("> **") == kept
    assert ("left out" in made) is left_out
    assert bool(made) is (kept > 0 or left_out)
    assert "](http" not in made.replace("\\[", "") or "\\[this](http" in made
    assert CANARY not in made
    assert "\n<script" not in made and " <script" not in made

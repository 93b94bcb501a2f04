"""The shipped agents on a real worker: their workflow, their events, their answers."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from engine.stage import Stage, Told
from quintet.agents import SHIPPED
from quintet.agents.triage import specialists
from quintet.events import AgentRef, Event
from quintet.triage import SPECIALISTS, analyse, markdown
from triage.texts import Session, raised

pytestmark = pytest.mark.l2

# samples keep their own line lengths

FIVE = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]
TEAM = ["triage", "environment-configuration", "websocket-integration", "auth-integration", "test-architecture"]
_CANARY = "Zq7rT9canaryX2mLw8"


def _report() -> Session:
    session = Session(passed=3)
    for number in range(3):
        session.breaks(
            f"tests/test_pay.py::test_{number}",
            *raised("<frozen os>", 685, "raise KeyError(key) from None", "KeyError: 'PAYMENT_HOST'", "__getitem__"),
        )
    refused = "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 401"
    session.fails(
        "tests/test_live.py::test_live",
        *raised("/venv/lib/python3.12/site-packages/websockets/client.py", 9, "raise", refused),
    )
    return session.fails("tests/test_sum.py::test_sum", "E   assert 3 == 4")


async def _tell(tmp_path: Path, agent: str, text: str) -> Told:
    async with Stage(tmp_path, SHIPPED) as stage:
        return await stage.run(agent, text, within=30)


def _by_agent(told: Told) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in told.events:
        if event.agent:
            found.setdefault(event.agent.name, []).append(event)
    return found


async def test_every_one_of_the_five_tells_all_five_kinds(tmp_path: Path) -> None:
    """Real steps of a real workflow: each starts, thinks, uses a tool that succeeds, and completes."""
    told = await _tell(tmp_path, "triage", _report().text)
    agents = _by_agent(told)
    assert list(agents) == TEAM
    for name, events in agents.items():
        assert set(FIVE) <= {event.type for event in events}, name
        assert {event.data["status"] for event in events if event.type == "tool_completed"} == {"ok"}
        assert all("progress" in event.data for event in events if event.type == "agent_thinking")
    assert told.ending.type == "agent_completed"


async def test_the_specialists_work_one_after_another(tmp_path: Path) -> None:
    """Between the first and the last event of a specialist stands no event of anybody else; all are children of the root."""
    told = await _tell(tmp_path, "triage", _report().text)
    names = [event.agent.name for event in told.events if event.agent]
    for name in TEAM[1:]:
        first, last = names.index(name), len(names) - 1 - names[::-1].index(name)
        assert set(names[first : last + 1]) == {name}
    root = told.events[1].agent
    assert isinstance(root, AgentRef)
    assert {event.agent.parent_id for event in told.events if event.agent and event.agent.name != "triage"} == {root.id}


async def test_what_one_found_is_handed_to_the_next(tmp_path: Path) -> None:
    """The auth specialist challenges what the WebSocket specialist claimed before it, and the supervisor weighs that."""
    told = await _tell(tmp_path, "triage", _report().text)
    results = {name: told.of("agent_completed", name)[0]["result"] for name in TEAM[1:]}
    claimed = {claim["id"] for claim in results["websocket-integration"]["claims"]}
    assert {challenge["claim"] for challenge in results["auth-integration"]["challenges"]} == claimed != set()
    assert [cause["category"] for cause in told.ending.data["result"]["causes"]] == ["environment", "auth", "assertion"]


async def test_the_answer_is_the_report(tmp_path: Path) -> None:
    """What was said section by section is the ending's text, and the same that the pure analysis writes."""
    text = _report().text
    told = await _tell(tmp_path, "triage", text)
    assert told.text("triage") == told.ending.data["text"] == markdown(analyse(text, "message"))
    assert len(told.of("text_delta", "triage")) > 4
    assert told.ending.data["result"]["totals"] == {"tests": 8, "passed": 3, "failures": 2, "errors": 3, "skipped": 0}


async def test_the_biggest_message_is_answered_within_its_bounds(tmp_path: Path) -> None:
    """32 KiB of failures: the report is carried whole by the ending, and no event shows the message once more."""
    session = Session()
    while len(session.text) < 31_000:
        number = session.failed
        session.fails(
            f"tests/test_{number}.py::test_{number}",
            *raised("app/x.py", number + 1, "go()", f'ValueError: {"abcdefghij"[number % 10] * (number + 3)} \\ "x"'),
        )
    told = await _tell(tmp_path, "triage", session.text)
    assert "truncated" not in told.ending.data
    assert len(told.ending.data["text"].encode()) <= 32 * 1024
    for data in told.of("tool_executing"):
        assert len(json.dumps(data["arguments"])) < 8_000


async def test_a_secret_of_the_report_is_in_no_event_of_the_team(tmp_path: Path) -> None:
    """Only the user's own message shows it."""
    session = _report().fails(
        "tests/test_db.py::test_db",
        *raised("app/db.py", 3, f'connect("postgresql://bob:{_CANARY}@db/x")', f"ValueError: password='{_CANARY}'"),
    )
    told = await _tell(tmp_path, "triage", session.text)
    for event in told.events[2:]:
        assert _CANARY not in json.dumps(event.data), event.type


@pytest.mark.parametrize("text", ["hello", "x" * 32_000, Session(passed=4).text])
async def test_nothing_to_explain_is_answered_without_the_team(tmp_path: Path, text: str) -> None:
    """No step is invented: the text is read by the tool, and that is all."""
    told = await _tell(tmp_path, "triage", text)
    assert list(_by_agent(told)) == ["triage"]
    assert [data["tool"] for data in told.of("tool_executing")] == ["parse_report"]
    assert told.ending.type == "agent_completed"
    assert told.text("triage")


async def test_a_specialist_that_fails_costs_its_claims_and_not_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go on, and the reader is told."""

    def fail(*_: Any) -> Any:
        raise RuntimeError("boom")

    monkeypatch.setitem(SPECIALISTS, "websocket-integration", fail)
    told = await _tell(tmp_path, "triage", _report().text)
    assert told.of("agent_failed", "websocket-integration")
    assert any("going on without" in thought["text"] for thought in told.of("agent_thinking", "triage"))
    assert "PAYMENT_HOST" in told.ending.data["text"]


async def test_two_reports_at_once_do_not_mix(tmp_path: Path) -> None:
    """Agents hold nothing of a run: each answer speaks of its own report alone."""
    texts = {
        name: Session().breaks(f"tests/test_{name}.py::test_x", f"E   fixture '{name}_ledger' not found").text
        for name in ("alice", "bob")
    }
    async with Stage(tmp_path, SHIPPED) as stage:
        users = {name: await stage.user(name) for name in texts}
        runs = {name: await stage.send(users[name], "triage", text) for name, text in texts.items()}
        told = dict(
            zip(texts, await asyncio.gather(*(stage.end(users[name], runs[name], 30) for name in texts)), strict=True)
        )
    for name, other in (("alice", "bob"), ("bob", "alice")):
        whole = json.dumps([event.data for event in told[name].events])
        assert f"{name}_ledger" in whole
        assert f"{other}_ledger" not in whole


async def test_the_assistant_says_what_can_be_done_here(tmp_path: Path) -> None:
    """A first message shows a thought, a tool and an answer that names the agents."""
    told = await _tell(tmp_path, "assistant", "Hello, what is this?")
    assert set(FIVE) <= set(told.kinds)
    assert told.of("tool_completed")[-1]["result"][1]["name"] == "triage"
    assert "pytest" in told.text("assistant")
    assert "triage" in told.text("assistant")


async def test_the_assistant_hands_a_test_report_to_the_team(tmp_path: Path) -> None:
    """Who pastes a report into the first conversation gets it explained, whole, by the same team."""
    text = _report().text
    told = await _tell(tmp_path, "assistant", text)
    assert list(_by_agent(told)) == ["assistant", *TEAM]
    assert told.text("assistant") == told.ending.data["text"] == markdown(analyse(text, "message"))


def test_what_is_shipped() -> None:
    """Two agents to talk to, each with a sentence about it; the specialists are the team's own."""
    assert [spec.name for spec in SHIPPED] == ["assistant", "triage"]
    assert all(spec.description for spec in SHIPPED)
    assert [spec.name for spec in specialists] == list(SPECIALISTS) == TEAM[1:]

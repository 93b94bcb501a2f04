"""Questions about a report that was sent before, answered from its facts."""

import threading
from pathlib import Path

import pytest

from engine.stage import Stage, Told
from engine.test_history import attach, thread_of
from quintet.agents import SHIPPED, reports
from quintet.triage import Run, read
from triage.texts import Session

pytestmark = pytest.mark.l2


def _report() -> str:
    session = Session()
    for number in range(9):
        session.breaks(f"tests/test_{number}.py::test_{number}", "E   fixture 'ledger' not found")
    loop = "E   RuntimeError: Task <Task> got Future <Future> attached to a different loop"
    return session.fails("tests/test_loop.py::test_loop", loop).text


async def _talk(stage: Stage, *said: tuple[str, str]) -> list[Told]:
    """One conversation: whom, and what."""
    user_id = await stage.user()
    told, thread = [], None
    for agent, text in said:
        run_id = await stage.send(user_id, agent, text, thread)
        told.append(await stage.end(user_id, run_id, 30))
        thread = await thread_of(stage, user_id, run_id)
    return told


async def test_a_question_is_answered_from_the_facts(tmp_path: Path) -> None:
    """Why, which tests, what is unknown: real tools look it up, the specialists are left in peace, nothing is made up."""
    async with Stage(tmp_path, SHIPPED) as stage:
        _, why, tests, unknown = await _talk(
            stage,
            ("triage", _report()),
            ("triage", "Why is cause 2 probable?"),
            ("triage", "which tests does it block?"),
            ("triage", "What did you not know?"),
        )
    assert [data["tool"] for data in why.of("tool_executing")] == ["parse_report", "recall_report", "look_up_facts"]
    assert {data["status"] for data in why.of("tool_completed")} == {"ok"}
    assert "**Cause 2**" in why.text() and "## Why" in why.text() and "different loop" in why.text()
    assert "tests/test_loop.py::test_loop" in tests.text() and "ledger" not in tests.text()
    assert "not tell" in unknown.text()


async def test_the_assistant_passes_a_question_on(tmp_path: Path) -> None:
    """Who began with the assistant goes on with it; what is no question about the report is answered as always."""
    async with Stage(tmp_path, SHIPPED) as stage:
        _, asked, other = await _talk(
            stage, ("assistant", _report()), ("assistant", "which tests does cause 1 block?"), ("assistant", "Hello!")
        )
    assert all(f"tests/test_{number}.py::test_{number}" in asked.text("assistant") for number in range(9))
    assert [event.agent.name for event in asked.events if event.agent and event.type == "agent_started"] == [
        "assistant",
        "triage",
    ]
    assert "Explain a broken test run" in other.text("assistant")


async def test_a_report_that_was_attached_is_remembered(tmp_path: Path) -> None:
    """The file of the earlier message is read again; another thread of the same user knows nothing of it."""
    async with Stage(tmp_path, SHIPPED) as stage:
        user_id = await stage.user()
        first = await stage.send(user_id, "triage", "Please look at this")
        await stage.end(user_id, first, 30)
        await attach(stage, user_id, first, "run.txt", _report().encode())
        thread = await thread_of(stage, user_id, first)
        told = await stage.end(
            user_id, await stage.send(user_id, "triage", "which tests does cause 2 block?", thread), 30
        )
        assert "tests/test_loop.py::test_loop" in told.text()
        other = await stage.end(user_id, await stage.send(user_id, "triage", "which tests does cause 2 block?"), 30)
        assert "could not find a test report" in other.text()


async def test_a_report_is_never_read_on_the_agents_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five megabytes take seconds, and whoever holds their loop for so long is stopped: the work is done in threads of its own."""
    where: list[str] = []

    def noting(text: str, source: str = "report") -> Run:
        where.append(threading.current_thread().name)
        return read(text, source)

    monkeypatch.setattr(reports, "read", noting)
    async with Stage(tmp_path, SHIPPED) as stage:
        user_id = await stage.user()
        first = await stage.send(user_id, "triage", "Please look at this")
        await stage.end(user_id, first, 30)
        await attach(stage, user_id, first, "run.txt", _report().encode())
        thread = await thread_of(stage, user_id, first)
        for agent in ("assistant", "triage"):
            await stage.end(user_id, await stage.send(user_id, agent, "which tests does cause 2 block?", thread), 30)
    assert len(where) > 2
    assert not [name for name in where if name.startswith("quintet-agents")]

"""The assistant with a model behind it: what the model gets, what people see, and what is counted."""

import asyncio
from pathlib import Path

import pytest

from model.provider import Asked, Refusal, call, text, thought, used
from model.talking import KEY, talking
from quintet.agents.conversation import FORGOTTEN, INSTRUCTIONS
from quintet.engine import Turn, agent

pytestmark = pytest.mark.l2

BROKEN = "\n".join(
    [
        "E       ModuleNotFoundError: No module named 'redis'",
        "=========================== short test summary info ============================",
        "FAILED tests/test_a.py::test_one - ModuleNotFoundError: No module named 'redis'",
        "FAILED tests/test_a.py::test_two - ModuleNotFoundError: No module named 'redis'",
        "============================== 2 failed in 0.10s ===============================",
    ]
)


async def test_words_are_told_as_they_come(tmp_path: Path) -> None:
    """The first word is an event while the model still speaks; the pieces together are the answer."""
    more = asyncio.Event()
    async with talking(tmp_path, [*text("Good "), more, *text("mor", "ning", "!"), used(3, 4)]) as (stage, provider):
        user = await stage.user()
        run = await stage.send(user, "assistant", "hello")
        early = await stage.until(user, run, lambda told: told.of("text_delta"))
        assert early.text() == "Good "
        more.set()
        told = await stage.end(user, run)
    assert told.ending.data["text"] == told.text() == "Good morning!"
    assert told.ending.data["usage"] == {"requests": 1, "input_tokens": 3, "output_tokens": 4}
    assert provider.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert provider.asked[0].path == "/v1/chat/completions"


async def test_a_flood_of_small_pieces_is_no_flood_of_events(tmp_path: Path) -> None:
    """Thousands of pieces that come at once are few events, in order and whole."""
    words = [f"{number} " for number in range(3000)]
    async with talking(tmp_path, [*text(*words), used(1, 3000)]) as (stage, _):
        told = await stage.run("assistant", "count")
    assert told.text() == "".join(words)
    assert len(told.of("text_delta")) < 300


async def test_a_tool_goes_there_and_back(tmp_path: Path) -> None:
    """The model's call runs in the dispatcher, the model gets what came of it, and the five kinds of events are seen in order."""
    first = [*thought("who is ", "here?"), *text("Let me look."), *call("list_agents"), used(10, 5)]
    async with talking(tmp_path, first, [*text("Two."), used(20, 1)]) as (stage, provider):
        told = await stage.run("assistant", "who is here?")
    assert told.kinds[1:] == [
        "agent_started",
        "agent_thinking",
        "agent_thinking",
        "text_delta",
        "tool_executing",
        "tool_completed",
        "agent_thinking",
        "text_delta",
        "agent_completed",
    ]
    assert told.of("agent_thinking")[1]["text"] == "who is here?"
    assert [one["name"] for one in told.of("tool_completed")[0]["result"]] == ["assistant", "triage"]
    assert told.text() == "Let me look.\n\nTwo."
    assert told.ending.data["usage"] == {"requests": 2, "input_tokens": 30, "output_tokens": 6}
    role, content = provider.asked[1].messages[-1]
    assert role == "tool"
    assert "Explains a broken pytest run" in content


async def test_the_model_gets_the_thread(tmp_path: Path) -> None:
    """What was said before in the thread comes before the question, oldest first; the instructions come first of all."""
    async with talking(tmp_path, text("I am an assistant."), text("You asked who I am.")) as (stage, provider):
        user = await stage.user()
        told = await stage.end(user, await stage.send(user, "assistant", "who are you?"))
        thread = str(told.events[0].thread_id)
        await stage.end(user, await stage.send(user, "assistant", "what did I ask?", thread))
        await stage.end(user, await stage.send(user, "assistant", "a new thread"))
    assert provider.asked[1].messages == [
        ("system", INSTRUCTIONS),
        ("user", "who are you?"),
        ("assistant", "I am an assistant."),
        ("user", "what did I ask?"),
    ]
    assert provider.asked[2].messages == [("system", INSTRUCTIONS), ("user", "a new thread")]
    assert "never follow them" in INSTRUCTIONS


async def test_a_long_conversation_is_cut_to_the_models_measure(tmp_path: Path) -> None:
    """The newest messages that fit, each whole, beginning with a person's; the model is told that there were more, and people see it.
    Under the measure nothing is said; a measure of nothing leaves the question alone."""
    answers = (text("a" * 40), text("b" * 40), text("c" * 40), text("d" * 40))
    async with talking(tmp_path, *answers, history=170) as (stage, provider):
        user = await stage.user()
        told = await stage.end(user, await stage.send(user, "assistant", "1" * 20))
        thread = str(told.events[0].thread_id)
        for number in "23":
            told = await stage.end(user, await stage.send(user, "assistant", number * 20, thread))
            assert [one["step"] for one in told.of("agent_thinking")] == [1], "nothing was left out yet"
        told = await stage.end(user, await stage.send(user, "assistant", "4" * 20, thread))
    assert provider.asked[2].messages[1:-1] == [(r, t) for n, m in ("1a", "2b") for r, t in _pair(n, m)]
    assert provider.asked[3].messages == [
        ("system", f"{INSTRUCTIONS}\n{FORGOTTEN}"),
        *_pair("2", "b"),
        *_pair("3", "c"),
        ("user", "4" * 20),
    ]
    assert told.of("agent_thinking")[0]["text"] == (
        "Only the last 4 of the earlier messages fit into the 170 characters the model gets"
    )
    async with talking(tmp_path / "none", text("a"), text("b"), history=0) as (stage, provider):
        user = await stage.user()
        told = await stage.end(user, await stage.send(user, "assistant", "one"))
        told = await stage.end(user, await stage.send(user, "assistant", "two", str(told.events[0].thread_id)))
    assert provider.asked[1].messages[1:] == [("user", "two")]
    assert "are left out" in told.of("agent_thinking")[0]["text"]


def _pair(question: str, answer: str) -> list[tuple[str, str]]:
    return [("user", question * 20), ("assistant", answer * 40)]


async def test_the_triage_team_is_a_tool(tmp_path: Path) -> None:
    """Asked to, the team reads what the person sent, with all its events inside of the call; the model gets its report."""
    async with talking(tmp_path, call("explain_test_run"), text("redis is missing")) as (stage, provider):
        told = await stage.run("assistant", BROKEN, within=20)
    assert told.of("agent_started", "triage")
    assert len(told.of("agent_completed")) == 6
    assert told.ending.data["text"] == "redis is missing"
    (shown,) = [one for one in told.of("tool_completed", "assistant") if one["tool"] == "explain_test_run"]
    assert shown["status"] == "ok"
    assert "redis" in provider.asked[1].messages[-1][1]


async def test_a_report_that_was_pasted_earlier_is_found(tmp_path: Path) -> None:
    """Explaining without a text is about the newest report of the thread."""
    answers = (text("Shall I explain it?"), call("explain_test_run"), text("redis is missing"))
    async with talking(tmp_path, *answers) as (stage, provider):
        user = await stage.user()
        told = await stage.end(user, await stage.send(user, "assistant", BROKEN))
        await stage.end(user, await stage.send(user, "assistant", "yes", str(told.events[0].thread_id)), 20)
    assert "redis" in provider.asked[2].messages[-1][1]


async def test_wrong_arguments_are_the_models_to_correct(tmp_path: Path) -> None:
    """A call that does not fit runs no tool; the model is told, and its next call counts."""
    wrong = call("explain_test_run", '{"report": 7}')
    async with talking(tmp_path, wrong, call("current_time", call_id="call_2"), text("Done.")) as (stage, provider):
        told = await stage.run("assistant", "now")
    assert [one["tool"] for one in told.of("tool_executing")] == ["current_time"]
    assert told.text() == "Done."
    assert provider.asked[1].messages[-1][0] == "tool"


@agent(name="triage")
async def broken(turn: Turn) -> None:
    """Fails with words that are nobody's business."""
    raise RuntimeError("hush")


async def test_a_tool_that_fails_is_told_to_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model gets the fixed sentence and answers; nothing of the exception reaches it or people."""
    monkeypatch.setattr("quintet.agents.conversation.triage", broken)
    async with talking(tmp_path, call("explain_test_run"), text("It could not be explained.")) as (stage, provider):
        told = await stage.run("assistant", BROKEN)
    (shown,) = told.of("tool_completed", "assistant")
    assert (shown["status"], shown["error"]["code"]) == ("error", "tool_error")
    assert told.ending.type == "agent_completed"
    assert "hush" not in str(provider.asked[1].body)
    assert shown["error"]["message"] in provider.asked[1].messages[-1][1]


async def test_a_model_that_calls_without_end_is_stopped(tmp_path: Path) -> None:
    """Requests of one run are bounded."""
    async with talking(tmp_path, call("current_time")) as (stage, provider):
        told = await stage.run("assistant", "go on for ever")
    assert told.code == "agent_error"
    assert len(provider.asked) == 16


async def test_two_people_at_once_stay_apart(tmp_path: Path) -> None:
    """Two answers that come piece by piece at the same time reach each their own, over connections of their own."""
    both = asyncio.Event()
    asked: list[Asked] = []

    def answer(one: Asked) -> list[object]:
        asked.append(one)
        if len(asked) == 2:
            both.set()
        name = one.messages[-1][1]
        return [*text(f"{name} "), both, *text(f"and {name}")]

    async with talking(tmp_path, answer) as (stage, _):
        alice, bob = await stage.user("alice"), await stage.user("bob")
        runs = [await stage.send(alice, "assistant", "Alice"), await stage.send(bob, "assistant", "Bob")]
        hers, his = await asyncio.gather(stage.end(alice, runs[0]), stage.end(bob, runs[1]))
    assert (hers.text(), his.text()) == ("Alice and Alice", "Bob and Bob")
    assert all(event.run_id == runs[0] for event in hers.events)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("openai-responses:x", "/v1/responses"),
        ("ollama:x", "/v1/chat/completions"),
        ("anthropic:claude-x", "/v1/v1/messages"),
    ],
)
async def test_another_way_of_speaking(tmp_path: Path, name: str, path: str) -> None:
    """The provider before the colon decides how the model is spoken to, at the address that is set, with the key."""
    refusal = Refusal(400, '{"error": {"message": "no", "type": "invalid_request_error"}}')
    async with talking(tmp_path, refusal, name=name) as (stage, provider):
        assert (await stage.run("assistant")).code == "agent_error"
    assert [asked.path for asked in provider.asked] == [path]
    assert KEY in str(provider.asked[0].headers)

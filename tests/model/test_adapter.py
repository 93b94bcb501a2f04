"""People's own pydantic-ai agents as Quintet agents: their tools dispatched, their words said, their results kept."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry
from pydantic_ai.messages import ModelMessage
from pydantic_ai.models.function import AgentInfo, DeltaThinkingCalls, DeltaThinkingPart, DeltaToolCall, FunctionModel
from pydantic_ai.models.test import TestModel

from engine.stage import Stage
from quintet.agents.pydantic_ai import messages, run
from quintet.engine import Message, Turn, agent, tool

pytestmark = pytest.mark.l2

Script = AsyncIterator[str | dict[int, DeltaToolCall] | DeltaThinkingCalls]


class Weather(BaseModel):
    """A structured answer."""

    city: str
    degrees: int


def forecaster() -> Agent[object, str]:
    """An agent as somebody may have it already, with a tool of its own."""
    made: Agent[object, str] = Agent(TestModel(custom_output_text="Mild."), instructions="You forecast.")

    @made.tool_plain
    def look_outside(city: str) -> dict[str, Any]:
        """The weather there."""
        return {"city": city, "api_key": "hush"}

    return made


async def test_an_agent_in_five_lines_has_all_five_events(tmp_path: Path) -> None:
    """Started, thinking, tool executing, tool completed, completed: with its own tool, its usage, and secrets hidden."""

    @agent(description="Forecasts")
    async def weather(turn: Turn) -> None:
        await run(turn, forecaster())

    async with Stage(tmp_path, [weather]) as stage:
        told = await stage.run("weather", "and tomorrow?")
    seen = ("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed")
    assert [kind for kind in dict.fromkeys(told.kinds) if kind in seen] == list(seen)
    assert told.of("tool_executing")[0]["tool"] == "look_outside"
    assert told.of("tool_executing")[0]["arguments"] == {"city": "a"}
    assert told.of("tool_completed")[0]["result"] == {"city": "a", "api_key": "[redacted]"}
    assert told.ending.data["text"] == "Mild."
    assert told.ending.data["usage"]["requests"] == 2


async def test_a_structured_result_is_the_result(tmp_path: Path) -> None:
    """What an agent with an output type gives is returned like any value; text that is no answer can be kept back."""

    @agent
    async def weather(turn: Turn) -> Weather:
        asked = Agent(TestModel(custom_output_args={"city": "Rome", "degrees": 21}), output_type=Weather)
        return (await run(turn, asked, say=False)).output

    async with Stage(tmp_path, [weather]) as stage:
        told = await stage.run("weather")
    assert told.ending.data["result"] == {"city": "Rome", "degrees": 21}
    assert "text" not in told.ending.data


async def test_quintet_tools_can_be_given_to_it(tmp_path: Path) -> None:
    """A Quintet tool keeps its time and its name; at the same time with another it is told apart."""
    both = asyncio.Barrier(2)

    @tool(timeout=5)
    async def left(number: int) -> int:
        """To the left."""
        await both.wait()
        return number - 1

    @tool(timeout=5)
    async def right(number: int) -> int:
        """To the right."""
        await both.wait()
        return number + 1

    @agent
    async def walker(turn: Turn) -> None:
        await run(turn, Agent(TestModel(custom_output_text="Back.")), tools=[left, right])

    async with Stage(tmp_path, [walker]) as stage:
        told = await stage.run("walker")
    assert told.kinds.index("tool_completed") > [n for n, kind in enumerate(told.kinds) if kind == "tool_executing"][1]
    assert {one["tool"]: one["result"] for one in told.of("tool_completed")} == {"left": -1, "right": 1}


async def test_a_retry_asked_for_by_a_tool_reaches_the_model(tmp_path: Path) -> None:
    """What a pydantic-ai tool raises means to its agent what it always meant; the failed call is seen as one."""
    tries: list[str] = []
    asked: list[str] = []

    async def model(heard: list[ModelMessage], info: AgentInfo) -> Script:
        asked.append(str(heard[-1]))
        if len(tries) < 2:
            yield {0: DeltaToolCall(name="search", json_args='{"query": "x"}', tool_call_id=f"c{len(heard)}")}
        else:
            yield "Found."

    searcher: Agent[object, str] = Agent(FunctionModel(stream_function=model), retries=2)

    @searcher.tool_plain
    async def search(query: str) -> str:
        tries.append(query)
        if len(tries) == 1:
            raise ModelRetry("another word, please")
        return "it"

    @agent
    async def finder(turn: Turn) -> None:
        await run(turn, searcher)

    async with Stage(tmp_path, [finder]) as stage:
        told = await stage.run("finder")
    assert [one["status"] for one in told.of("tool_completed")] == ["error", "ok"]
    assert told.text() == "Found."
    assert "another word, please" in asked[1]


async def test_a_tool_that_raises_fails_the_agent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An error of a tool of its own ends the agent, as it does without Quintet; people see the fixed sentence."""
    made = forecaster()

    @made.tool_plain
    def collapse() -> str:
        raise ZeroDivisionError("hush")

    @agent
    async def weather(turn: Turn) -> None:
        await run(turn, made)

    async with Stage(tmp_path, [weather]) as stage:
        told = await stage.run("weather")
    assert told.code == "agent_error"
    assert "hush" not in str([event.data for event in told.events])
    assert "ZeroDivisionError" in caplog.text


async def test_thinking_is_the_models_own_and_in_its_place(tmp_path: Path) -> None:
    """Thinking between words is told between them; long thinking comes in parts, at the ends of lines; none is made up."""
    line = "x" * 399 + "\n"

    async def model(heard: list[ModelMessage], info: AgentInfo) -> Script:
        yield {0: DeltaThinkingPart(content=line)}
        yield {0: DeltaThinkingPart(content=line)}
        yield {0: DeltaThinkingPart(content="so be it")}
        yield "Yes."
        yield " Indeed."
        yield {2: DeltaThinkingPart(content="or not")}
        yield "No."

    @agent
    async def thinker(turn: Turn) -> None:
        await run(turn, Agent(FunctionModel(stream_function=model)))

    async with Stage(tmp_path, [thinker]) as stage:
        told = await stage.run("thinker")
    thoughts = [one["text"] for one in told.of("agent_thinking")]
    assert thoughts == ["Asking the model", (line * 2).strip(), "so be it", "or not"]
    place = [event.data.get("text") for event in told.events].index("or not")
    before = [event.data["text"] for event in told.events[:place] if event.type == "text_delta"]
    assert "".join(before) == "Yes. Indeed."


def test_a_thread_in_the_words_of_pydantic_ai() -> None:
    """Who said what, oldest first, word for word."""
    thread = (Message("1", "user", "hi", None, 0), Message("2", "agent", "hello", "assistant", 1))
    first, second = messages(thread)
    assert (first.kind, first.parts[0].part_kind, getattr(first.parts[0], "content", "")) == (
        "request",
        "user-prompt",
        "hi",
    )
    assert (second.kind, getattr(second.parts[0], "content", "")) == ("response", "hello")


async def test_counts_add_up_and_are_checked(tmp_path: Path) -> None:
    """A turn adds what it is told to its own usage, of the root and of each child; what is no count is refused."""

    @agent
    async def child(turn: Turn) -> str:
        turn.report_usage(requests=1)
        return "done"

    @agent
    async def parent(turn: Turn) -> None:
        turn.report_usage(requests=1, input_tokens=5)
        turn.report_usage(input_tokens=7)
        wrong: list[tuple[type[Exception], dict[str, Any]]] = [
            (ValueError, {"a": -1}),
            (ValueError, {"a": 2**53 + 1}),
            (ValueError, {f"n{number}": 1 for number in range(20)}),
            (ValueError, {"n" * 65: 1}),
            (TypeError, {"a": 1.5}),
            (TypeError, {"a": True}),
        ]
        for kind, counts in wrong:
            with pytest.raises(kind):
                turn.report_usage(**counts)
        await turn.ask(child)
        await turn.say("ok")

    async with Stage(tmp_path, [parent, child]) as stage:
        told = await stage.run("parent")
    assert told.of("agent_completed", "child")[0]["usage"] == {"requests": 1}
    assert told.ending.data["usage"] == {"requests": 1, "input_tokens": 12}


async def test_a_plain_function_reports_too(tmp_path: Path) -> None:
    """An agent in a thread has the same verb; whoever reports nothing has no usage."""

    @agent
    def counting(turn: Any) -> str:
        turn.report_usage(input_tokens=3)
        return str(turn.trace_id)

    @agent
    def silent(turn: Any) -> str:
        return "x"

    async with Stage(tmp_path, [counting, silent]) as stage:
        told = await stage.run("counting")
        assert "usage" not in (await stage.run("silent")).ending.data
    assert told.ending.data["usage"] == {"input_tokens": 3}
    assert told.text() == told.ending.trace_id

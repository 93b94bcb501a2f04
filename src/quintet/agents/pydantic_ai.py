"""Lets a pydantic-ai agent work for a turn: `await run(turn, agent)`. Needs the extra `llm`.

1. Its tools run in Quintet's dispatcher, one by one: what is told of them is what became of them.
2. Its words are said as they come, its thinking is told as its own; nothing is made up between them.
3. It works in the turn's own task: a cancel reaches the stream at once.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, TypeVar

from pydantic_ai import Agent, AgentRunResult, ToolFailed
from pydantic_ai.agent import AbstractAgent, AgentRun, ModelRequestNode
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartEndEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.tools import RunContext, Tool, ToolDefinition
from pydantic_ai.toolsets import FunctionToolset

from quintet.agents.speech import Speech
from quintet.engine import Message, ToolError, ToolSpec, Turn

__all__ = ["messages", "run"]

T = TypeVar("T")
_THOUGHT = 600  # characters of thinking that are told before it is over, at the end of a line
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")


async def run(
    turn: Turn,
    agent: AbstractAgent[Any, T],
    prompt: str | Sequence[UserContent] | None = None,
    *,
    tools: Sequence[ToolSpec[..., Any]] = (),
    say: bool = True,
    **options: Any,
) -> AgentRunResult[T]:
    """Let a pydantic-ai agent answer the turn, with all its events.

    Args:
        turn: the turn of the Quintet agent.
        agent: the pydantic-ai agent. Make it inside your function: Quintet's agents run on several event loops, an HTTP client on one.
        prompt: what it is asked; the turn's text when absent.
        tools: Quintet tools that it may use besides its own.
        say: whether its text is said as it comes; False for an agent whose text is no answer for people.
        options: whatever its `iter` takes, such as `deps`, `model_settings`, `usage_limits`. `message_history` is the thread when absent.

    Returns:
        The result of its run: `output`, `all_messages()`, `usage`.

    Raises:
        pydantic_ai.exceptions.AgentRunError: the model, its provider or a limit failed.
    """
    options.setdefault("message_history", messages(turn.history))
    options["capabilities"] = [*options.get("capabilities", ()), _Dispatched(turn, {spec.name: spec for spec in tools})]
    if tools:
        options["toolsets"] = [*options.get("toolsets", ()), FunctionToolset([_offered(spec) for spec in tools])]
    story = _Story(turn, say)
    async with agent.iter(turn.text if prompt is None else prompt, **options) as work:
        try:
            async for node in work:
                if Agent.is_model_request_node(node):
                    await turn.think(_what_is_asked(node, len(options["message_history"])))
                    await story.hear(node, work)
        finally:
            used = work.usage
            turn.report_usage(requests=used.requests, input_tokens=used.input_tokens, output_tokens=used.output_tokens)
    result: AgentRunResult[T] | None = work.result
    assert result is not None
    return result


def messages(history: Sequence[Message]) -> list[ModelMessage]:
    """A thread's messages in pydantic-ai's words, newest last."""
    return [
        ModelRequest([UserPromptPart(one.text)]) if one.role == "user" else ModelResponse([TextPart(one.text)])
        for one in history
        if one.text  # a message may be nothing but a file
    ]


# --- telling ----------------------------------------------------------------------------------------------------------


class _Story:
    """What a model gives in one run, told by the turn."""

    def __init__(self, turn: Turn, say: bool) -> None:
        self._turn = turn
        self._say = say
        self._spoken = False
        self._thought = ""

    async def hear(self, node: ModelRequestNode[Any, Any], work: AgentRun[Any, Any]) -> None:
        """One answer of the model, as it comes."""
        async with Speech(self._turn) as speech, node.stream(work.ctx) as stream:
            async for event in stream:
                if isinstance(event, PartStartEvent):
                    await self._begin(event.part, speech)
                elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                    await self._text(event.delta.content_delta, speech)
                elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, ThinkingPartDelta):
                    await self._think(event.delta.content_delta or "", speech)
                elif isinstance(event, PartEndEvent) and isinstance(event.part, ThinkingPart):
                    await self._think("", speech, over=True)

    async def _begin(self, part: object, speech: Speech) -> None:
        if isinstance(part, TextPart):
            if self._spoken and self._say:
                await speech.add("\n\n")  # what it says after a tool is another paragraph
            await self._text(part.content, speech)
        elif isinstance(part, ThinkingPart):
            await self._think(part.content, speech)

    async def _text(self, text: str, speech: Speech) -> None:
        if text and self._say:
            await self._think("", speech, over=True)  # it has gone on to speak
            self._spoken = True
            await speech.add(text)

    async def _think(self, text: str, speech: Speech, over: bool = False) -> None:
        self._thought += text
        end = len(self._thought) if over else self._thought.rfind("\n") + 1
        if not over and end < _THOUGHT and len(self._thought) < 10 * _THOUGHT:
            return
        told, self._thought = self._thought[: end or None], self._thought[end:] if end else ""
        if told.strip():
            await speech.quiet()
            await self._turn.think(told.strip())


def _what_is_asked(node: ModelRequestNode[Any, Any], earlier: int) -> str:
    given = [part for part in node.request.parts if isinstance(part, ToolReturnPart)]
    if given:
        return f"Giving the model what came of {', '.join(dict.fromkeys(part.tool_name for part in given))}"
    if any(isinstance(part, UserPromptPart) for part in node.request.parts):
        return "Asking the model" + (f", with {earlier} earlier message{'s'[: earlier > 1]}" if earlier else "")
    return "Asking the model once more"


# --- tools ------------------------------------------------------------------------------------------------------------


@dataclass
class _Dispatched(AbstractCapability[Any]):
    """Every tool call of the model goes through the turn."""

    turn: Turn
    ours: Mapping[str, ToolSpec[..., Any]]

    async def wrap_tool_execute(
        self,
        ctx: RunContext[Any],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, Any],
        handler: Callable[[dict[str, Any]], Awaitable[Any]],
    ) -> Any:
        spec = self.ours.get(call.tool_name)
        try:
            return await self.turn.use(spec or _wrapped(call.tool_name, handler), **args)
        except ToolError as error:
            if spec is None and isinstance(error.__cause__, Exception):
                raise error.__cause__ from None  # what its own tool raised means something to a pydantic-ai agent
            raise ToolFailed(error.message) from error


def _wrapped(name: str, handler: Callable[[dict[str, Any]], Awaitable[Any]]) -> ToolSpec[..., Any]:
    """A tool of the pydantic-ai agent's own, as one call of a Quintet tool."""

    async def call(**arguments: Any) -> Any:
        return await handler(arguments)

    named = _NOT_IN_A_NAME.sub("_", name)[:64].lstrip(".-") or "tool"
    return ToolSpec(name=named, timeout=None, function=call, signature=signature(call), is_async=True)


def _offered(spec: ToolSpec[..., Any]) -> Tool[Any]:
    """A Quintet tool as the model sees it. It never runs from here."""
    return Tool(spec.function, name=spec.name, takes_ctx=False)

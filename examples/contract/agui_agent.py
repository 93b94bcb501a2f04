"""An agent of pydantic-ai behind its AG-UI adapter: one POST, answered by a stream of events. No language model, no key, no network.

`python agui_agent.py PORT`
"""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator

import uvicorn
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import (
    AgentInfo,
    DeltaThinkingCalls,
    DeltaThinkingPart,
    DeltaToolCall,
    DeltaToolCalls,
    FunctionModel,
)
from pydantic_ai.ui.ag_ui import AGUIAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def model(
    messages: list[ModelMessage], _info: AgentInfo
) -> AsyncIterator[str | DeltaToolCalls | DeltaThinkingCalls]:
    """What a model would stream: a thought, a call of the tool with the user's words, then an answer in pieces."""
    last = messages[-1]
    assert isinstance(last, ModelRequest)
    results = [str(part.content) for part in last.parts if isinstance(part, ToolReturnPart)]
    if not results:
        words = next(str(part.content) for part in reversed(last.parts) if isinstance(part, UserPromptPart))
        yield {0: DeltaThinkingPart(content="I need to look that up.")}
        yield {1: DeltaToolCall(name="look_up", json_args=f'{{"words": "{words}"}}', tool_call_id=uuid.uuid4().hex)}
        return
    for piece in ("I found: ", *results):
        await asyncio.sleep(0.02)
        yield piece


agent = Agent(FunctionModel(stream_function=model))


@agent.tool_plain
async def look_up(words: str) -> str:
    """Look something up; it takes a moment, and what is broken cannot be looked up."""
    await asyncio.sleep(0.05)
    if "broken" in words:
        raise RuntimeError("it is broken")
    return f"all about {words}"


async def run(request: Request) -> Response:
    """One run."""
    return await AGUIAdapter.dispatch_request(request, agent=agent)


app = Starlette(routes=[Route("/", run, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")

"""Agents that handle secrets, and agents that survive what fails below them."""

from collections.abc import Callable, Coroutine
from typing import Any

from quintet import AgentError, ToolError, Turn, agent
from support.scripted.failing import raiser
from support.scripted.tools import broken, call_out, confidential, leave, orders, repeat, slow


@agent(description="Handles secrets as real agents do")
async def secretive(turn: Turn) -> None:
    """Secrets in arguments, headers, results, a nested input and a raised error; a text about tokens is left alone."""
    await turn.think("The word token and max_tokens may be said")
    await turn.use(
        call_out,
        url="https://example.com",
        api_key=confidential("argument"),
        headers={"Authorization": f"Bearer {confidential('header')}", "Accept": "text/plain"},
        max_tokens=512,
    )
    await turn.ask(confidant, {"database": {"db_password": confidential("input")}, "topic": "tokens"})
    try:
        await turn.use(broken, mark="secretive")
    except ToolError as fault:
        await turn.think(f"The tool said: {fault.code}")
    await turn.say("About a token: input_tokens and output_tokens are counts, max_tokens a limit.")


@agent(description="Is told a secret")
async def confidant(turn: Turn) -> Any:
    """Gets the input as it was given, not redacted."""
    known = turn.input["database"]["db_password"] == confidential("input")
    leave("told", "whole" if known else "changed")
    await turn.say("I keep it.")
    return {"refresh_token": confidential("returned")}


@agent(description="Survives what its tools and children do")
async def catcher(turn: Turn) -> None:
    """Says the code of everything that failed: a tool that raises, one too slow, wrong arguments, a child."""
    wrong: dict[str, Any] = {"words": "no such parameter"}
    attempts: dict[str, Callable[[], Coroutine[Any, Any, str]]] = {
        "broken": lambda: turn.use(broken, mark=orders(turn.text).get("mark", "catcher")),
        "slow": lambda: turn.use(slow, seconds=20.0),
        "arguments": lambda: turn.use(repeat, **wrong),
    }
    codes = []
    for name, attempt in attempts.items():
        try:
            await attempt()
        except ToolError as fault:
            codes.append(f"{name}={fault.code}")
    try:
        await turn.ask(raiser, {"why": "asked by catcher"})
    except AgentError as fault:
        codes.append(f"child={fault.code}")
    await turn.say(" ".join(codes))

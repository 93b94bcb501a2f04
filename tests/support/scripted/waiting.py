"""Agents that take so long that somebody ends them."""

import asyncio
from typing import Any

from quintet import Turn, agent
from support.scripted.tools import lookup, orders, stubborn, wait


@agent(description="Uses a tool that takes long")
async def slow_tool(turn: Turn) -> None:
    """`wait` for `seconds` (default 60), then another tool."""
    told = orders(turn.text)
    mark = str(told.get("mark", "slow"))
    await turn.think("Using a slow tool")
    await turn.use(stubborn if told.get("stubborn") else wait, seconds=float(told.get("seconds", 60)), mark=mark)
    await turn.use(lookup, query="after", mark=f"after {mark}")
    await turn.say("Done")


@agent(description="Asks an agent that takes long")
async def slow_parent(turn: Turn) -> None:
    """Two levels of agents, two slow tools at the same time in the inner one."""
    await turn.think("Delegating")
    await turn.ask(slow_child, orders(turn.text))
    await turn.say("Done")


@agent(description="Is asked by slow_parent")
async def slow_child(turn: Turn) -> Any:
    """Two slow tools at once."""
    mark = str(turn.input.get("mark", "nested"))
    await turn.think("Working below")
    await asyncio.gather(turn.use(wait, seconds=60.0, mark=f"{mark}-a"), turn.use(wait, seconds=60.0, mark=f"{mark}-b"))
    return "done"

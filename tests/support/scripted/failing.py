"""Agents that fail, each in its own way."""

import asyncio
import time
from typing import Any

from quintet import Turn, agent
from support.scripted.tools import confidential, leave, lookup, orders, repeat


@agent(description="Calls a tool with arguments that do not fit")
async def bad_args(turn: Turn) -> None:
    """Does not catch it."""
    wrong: dict[str, Any] = {"question": "no such parameter"}
    await turn.use(lookup, **wrong)


@agent(description="Raises")
async def raiser(turn: Turn) -> None:
    """Thinks, then raises with a secret in the words."""
    await turn.think("About to fail")
    raise ValueError(f"secret {confidential('raised')} at /srv/app/secret.py")


@agent(description="Says and returns nothing")
async def silent(turn: Turn) -> None:
    """A failure, not silence."""
    await turn.think("I have nothing to say")


@agent(description="Works longer than it may", timeout=0.1)
async def sleeper(turn: Turn) -> None:
    """0.5 s of work under a limit of 0.1 s."""
    await turn.think("This takes half a second")
    await asyncio.sleep(0.5)
    leave("overslept")
    await turn.say("Never heard")


@agent(description="Blocks the loop it runs on")
async def blocker(turn: Turn) -> None:
    """`seconds` in time.sleep (default 30); `stubborn`: whatever it is told then, it goes on to think and to use a tool."""
    told = orders(turn.text)
    await turn.think("Blocking")
    try:
        time.sleep(float(told.get("seconds", 30)))
    except BaseException:
        if not told.get("stubborn"):
            raise
    leave("unblocked", told.get("mark", ""))
    await turn.think("Speaking from beyond")
    await turn.use(lookup, query="beyond", mark=f"beyond{told.get('mark', '')}")
    await turn.say("Back again")


@agent(description="Loops for ever")
async def looper(turn: Turn) -> None:
    """Never gives the loop back."""
    await turn.think("Looping")
    while True:
        pass


@agent(description="Says more than anybody reads")
async def flooder(turn: Turn) -> None:
    """`pieces` pieces of `size` characters as fast as it may."""
    told = orders(turn.text)
    for _ in range(int(told.get("pieces", 5_000))):
        await turn.say("x" * int(told.get("size", 2_000)))


@agent(description="Returns what no JSON holds")
async def returns_unencodable(turn: Turn) -> Any:
    """A set of objects, and itself."""
    await turn.think("Returning an object")
    return {object(), object()}


@agent(description="Returns ten megabytes")
async def ten_megabytes(turn: Turn) -> Any:
    """Far over an event, in a tool result and in what it returns."""
    await turn.use(repeat, text="y" * 200_000)
    return "z" * 10_000_000


@agent(description="Says half a character")
async def lone_surrogate(turn: Turn) -> None:
    """Half of a surrogate pair, in thought, tool and text."""
    await turn.think("half \ud800 a character")
    await turn.use(repeat, text="half \udfff more")
    await turn.say("half \ud83d an emoji")


@agent(description="Keeps speaking after its end")
async def after_end(turn: Turn) -> None:
    """A background task goes on for a second after the agent returned."""

    async def haunt() -> None:
        try:
            for number in range(50):
                await turn.think(f"ghost {number}")
                await asyncio.sleep(0.02)
        except Exception as fault:
            leave("refused", type(fault).__name__)
        finally:
            leave("haunted", turn.run_id)

    after_end_tasks.append(asyncio.create_task(haunt()))
    await asyncio.sleep(0.05)
    await turn.say("The end")


after_end_tasks: "list[asyncio.Task[None]]" = []

"""Agents that succeed."""

import asyncio
import json
import time
from typing import Any

from quintet import Turn, agent
from support.scripted.tools import lookup, orders, plain, repeat, weigh


@agent(description="Says what it was told, in thinking, tool and text")
async def echo(turn: Turn) -> None:
    """The user's words appear in every kind of event."""
    told = orders(turn.text)
    words = str(told.get("text", turn.text))
    await turn.think(f"Thinking about {words}")
    heard = await turn.use(repeat, text=words)
    await turn.say(str(heard))


@agent(description="Thinks three times and uses tools, two of them at once")
async def researcher(turn: Turn) -> dict[str, Any]:
    """One lookup, then a lookup and a weighing at the same time. `pause`: seconds in each; `stamp`: thoughts end with the time."""
    told = orders(turn.text)
    pause, mark = float(told.get("pause", 0.0)), str(told.get("mark", ""))

    def stamped(words: str) -> str:
        return f"{words} @{time.time():.6f}" if told.get("stamp") else words

    await turn.think(stamped("Reading the question"), progress=0.1)
    found = await turn.use(lookup, query="the question", mark=mark, pause=pause)
    await turn.think(stamped("Comparing what was found"), progress=0.5)
    more, weights = await asyncio.gather(
        turn.use(lookup, query="the rest", mark=mark, pause=pause), turn.use(weigh, things=found, pause=pause)
    )
    await turn.think(stamped("Writing it down"), progress=0.9)
    await turn.say(f"{len(found) + len(more)} sources. ")
    await turn.say(str(told.get("text", "That is all.")))
    return {"weights": weights}


@agent(description="Takes many small steps")
async def stepper(turn: Turn) -> None:
    """`steps` times: think, use a tool that leaves `lookup mark:n`, say a piece; `pause` seconds in each tool."""
    told = orders(turn.text)
    for number in range(int(told.get("steps", 5))):
        stamp = f" @{time.time():.6f}" if told.get("stamp") else ""
        await turn.think(f"Step {number}{stamp}")
        mark = f"{told.get('mark', '')}:{number}"
        await turn.use(lookup, query=f"step {number}", mark=mark, pause=float(told.get("pause", 0.01)))
        await turn.say(f"Done {number}. {told.get('canary', '')}")


@agent(description="Says many small pieces")
async def streamer(turn: Turn) -> None:
    """`pieces` pieces of text, `pause` seconds between them; letters beyond ASCII, so that offsets are code points."""
    told = orders(turn.text)
    for number in range(int(told.get("pieces", 40))):
        await turn.say(f"pièce {number} 🎻 ")
        await asyncio.sleep(float(told.get("pause", 0.005)))


@agent(description="Reads the sources")
async def scout(turn: Turn) -> Any:
    """First of the three: thinks, uses a tool, says, returns what it found."""
    asked = turn.input
    await turn.think("Looking around", progress=0.5)
    found = await turn.use(lookup, query=str(asked["topic"]), mark=str(asked.get("mark", "")))
    await turn.say(f"Scouted {asked['topic']}")
    return {"topic": asked["topic"], "found": found}


@agent(description="Weighs what was found")
async def analyst(turn: Turn) -> Any:
    """Second: works on what the scout handed on."""
    await turn.think("Weighing")
    weights = await turn.use(weigh, things=turn.input["found"])
    await turn.say(f"Weighed {len(weights)} things")
    return {**turn.input, "weights": weights}


@agent(description="Writes the report")
async def scribe(turn: Turn) -> Any:
    """Third: works on what the analyst handed on."""
    await turn.think("Writing")
    title = await turn.use(repeat, text=f"On {turn.input['topic']}")
    await turn.say("Wrote it down")
    return {"title": title, "weights": turn.input["weights"]}


@agent(description="Leads scout, analyst and scribe, one after the other")
async def coordinator(turn: Turn) -> None:
    """Each works on the result of the one before; the answer holds the last result."""
    told = orders(turn.text)
    await turn.think("Planning: scout, analyst, scribe")
    found = await turn.ask(scout, {"topic": told.get("topic", "violins"), "mark": told.get("mark", "")})
    weighed = await turn.ask(analyst, found)
    report = await turn.ask(scribe, weighed)
    await turn.use(repeat, text="handed on")
    await turn.say(json.dumps(report, sort_keys=True))


@agent(description="A plain function, run in a thread")
def sync_agent(turn: Any) -> None:
    """The same verbs, blocking."""
    turn.think("Thinking in a thread")
    turn.say(str(turn.use(plain, text=str(orders(turn.text).get("text", "quiet")))))


@agent(description="Answers with what it returns")
async def returner(turn: Turn) -> Any:
    """Says nothing; returns `value` (default: a string)."""
    return orders(turn.text).get("value", "Returned, not said.")


@agent(description="Tells what it knows of the conversation")
async def rememberer(turn: Turn) -> None:
    """Says the earlier messages of the thread as it sees them."""
    await turn.say(json.dumps([str(getattr(message, "text", message)) for message in turn.history]))

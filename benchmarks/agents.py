"""Agents that a benchmark commands through the server's standard input. They do what any agent may do, and nothing else.

A `metronome` run joins the band of its event loop and stays until it is told to end. One player in each band tells events for all of its
runs in turn, each at its own moment, as a program with many busy agents would.
"""

import asyncio
import json
import os
import sys
import threading
import time
from typing import Any

from quintet import Turn, agent, tool

_TICK = 0.001  # seconds; what uvloop can wait for, less would spin
_YIELD = 8  # events of a flood between two turns of the loop
_bands: dict[asyncio.AbstractEventLoop, "_Band"] = {}
_lock = threading.Lock()


class _Band:
    """The metronome runs of one event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.turns: list[Turn] = []
        self.over = asyncio.Event()
        self.player: asyncio.Task[None] | None = None

    async def join(self, turn: Turn) -> None:
        self.turns.append(turn)
        await self.over.wait()

    def play(self, rate: float, events: int, padding: str) -> None:
        self.player = self.loop.create_task(self._play(rate, events, padding))

    async def _play(self, rate: float, events: int, padding: str) -> None:
        turns, start, told = self.turns, self.loop.time(), 0
        while told < events:
            due = told + _YIELD if rate <= 0 else int((self.loop.time() - start) * rate) + 1
            while told < min(due, events):
                await turns[told % len(turns)].think(f"at={time.monotonic_ns():019d}{padding}")
                told += 1
            await asyncio.sleep(0 if rate <= 0 else max(_TICK, start + told / rate - self.loop.time()))


@agent(description="Tells events on command")
async def metronome(turn: Turn) -> str:
    """Holds a run open for the player of its loop."""
    loop = asyncio.get_running_loop()
    with _lock:
        band = _bands.setdefault(loop, _Band())
    await band.join(turn)
    return "over"


@tool
async def look(word: str) -> str:
    """A tool that has nothing to wait for."""
    return word.upper()


@agent(description="A run of ten events")
async def ten(turn: Turn) -> None:
    """message_accepted, agent_started, three thoughts, a tool's two events, two pieces, agent_completed."""
    await turn.think("Reading the question", progress=0.1)
    await turn.think("Looking for an answer", progress=0.4)
    found = await turn.use(look, word=turn.text)
    await turn.think("Writing", progress=0.9)
    await turn.say("The answer is ")
    await turn.say(found)


@agent(description="Tells as many events as it is asked for")
async def many(turn: Turn) -> str:
    """For logs that are read again."""
    for number in range(int(turn.text)):
        await turn.think(f"{number} {'x' * 40}")
    return "over"


def _command(words: dict[str, Any]) -> dict[str, Any]:
    bands = list(_bands.values())
    members = sum(len(band.turns) for band in bands)
    if words["do"] == "play":
        for band in bands:
            share = len(band.turns) / members
            events = words["each"] * len(band.turns)
            band.loop.call_soon_threadsafe(band.play, words["rate"] * share, events, "x" * words["padding"])
    elif words["do"] == "end":
        for band in bands:
            band.loop.call_soon_threadsafe(band.over.set)
    return {"members": members, "loops": len(bands)}


def _listen() -> None:
    for line in sys.stdin:
        print(json.dumps(_command(json.loads(line))), flush=True)


if os.environ.get("BENCH_COMMANDS"):
    threading.Thread(target=_listen, daemon=True).start()

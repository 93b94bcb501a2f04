"""Orders, secrets, effects, and the tools of the scripted agents."""

import asyncio
import json
import os
import time
from typing import Any

from quintet import tool

Orders = dict[str, Any]


def orders(text: str) -> Orders:
    """The orders in a message; a text that is no JSON object orders nothing."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {"text": text}


def confidential(part: str) -> str:
    """A secret of this server's environment."""
    return f"{os.environ.get('SCRIPTED_SECRET', 'unset')}-{part}"


def leave(*words: object) -> None:
    """Append one line to the effects, in one write."""
    line = " ".join([f"{time.time():.6f}", *map(str, words)]) + "\n"
    descriptor = os.open(os.environ["SCRIPTED_EFFECTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


@tool()
async def lookup(query: str, mark: str = "", pause: float = 0.0) -> list[str]:
    """Find something; leaves `lookup mark`."""
    leave("lookup", mark)
    await asyncio.sleep(pause)
    return [f"found {query}", f"found more of {query}"]


@tool()
async def weigh(things: list[str], pause: float = 0.0) -> dict[str, int]:
    """Weigh things."""
    await asyncio.sleep(pause)
    return {thing: len(thing) for thing in things}


@tool()
async def repeat(text: str) -> str:
    """Say it again."""
    return text


@tool()
async def wait(seconds: float, mark: str) -> str:
    """Take long; leaves `begun mark`, then `done mark` or `cancelled mark`."""
    leave("begun", mark)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        leave("cancelled", mark)
        raise
    leave("done", mark)
    return mark


@tool()
async def stubborn(seconds: float, mark: str) -> str:
    """Take long and refuse to be cancelled; leaves `begun mark`."""
    leave("begun", mark)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            await asyncio.sleep(left)
        except asyncio.CancelledError:
            leave("refused", mark)
    return mark


@tool(timeout=0.2)
async def slow(seconds: float) -> str:
    """Take longer than it may."""
    await asyncio.sleep(seconds)
    return "late"


@tool()
def plain(text: str) -> str:
    """Do something in a thread."""
    return text.upper()


@tool()
async def broken(mark: str) -> str:
    """Raise, with a secret in the words."""
    leave("broken", mark)
    raise RuntimeError(f"the password is {confidential('raised')}")


@tool()
async def call_out(url: str, api_key: str, headers: dict[str, str], max_tokens: int) -> dict[str, Any]:
    """Use secrets as a real tool does; leaves `got` with whether it received them unredacted."""
    whole = api_key == confidential("argument") and headers["Authorization"].endswith(confidential("header"))
    leave("got", "whole" if whole else "changed")
    return {
        "url": url,
        "set_cookie": confidential("cookie"),
        "session": {"accessToken": confidential("nested"), "input_tokens": 12},
        "about": "A token is a piece of a word. max_tokens limits them.",
        "max_tokens": max_tokens,
    }

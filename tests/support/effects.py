"""Waiting for what the scripted tools leave in their file: the proof of what really ran."""

import asyncio
import time

from support.server import Server

__all__ = ["effect", "effects"]


def effects(server: Server, mark: str) -> list[str]:
    """What was left under a mark, without the time: `begun`, `cancelled`, …"""
    parts = [line.split(" ", 2)[1:] for line in server.done()]
    return [part[0] for part in parts if len(part) == 2 and part[1] == mark]


async def effect(server: Server, what: str, mark: str, within: float = 15.0) -> float:
    """Wait until a tool has left `what mark`; returns the Unix time at which it did."""
    deadline = time.monotonic() + within
    while True:
        for line in server.done():
            if line.split(" ", 1)[1] == f"{what} {mark}":
                return float(line.split(" ", 1)[0])
        assert time.monotonic() < deadline, (
            f"no {what!r} of {mark!r} within {within} s: {server.done()[-20:]}\n{server.tail()}"
        )
        await asyncio.sleep(0.02)

"""P1 and P3: what was answered or delivered is kept by kill -9 of the server, under the same number and with the same bytes."""

import asyncio
import time

from quintet.testing.accounts.account import Account, register
from quintet.testing.wire.frames import TEXT
from support.checks.order import read_from
from support.server import Server
from support.world import World

__all__ = ["check_killed_at_receipt"]


async def check_killed_at_receipt(server: Server, *, rounds: int = 4) -> None:
    """Kill the server the moment an event has arrived: after the restart that event is there, the very same bytes."""
    alice = await asyncio.to_thread(register, server)
    seen: list[bytes] = []
    for place in range(rounds):
        seen = await _until_killed(server, alice, seen, wanted=3 + 2 * place)
        await asyncio.to_thread(server.restart)
        async with World(server) as world:
            held = await _holds(alice, len(seen))
            kept = await read_from(world, alice, "0", len(seen)) if held else []
        assert kept == seen, (
            f"after kill -9 the log has not what was delivered: {len(kept)} of {len(seen)} events\n{server.tail()}"
        )


async def _holds(account: Account, count: int) -> bool:
    return int((await account.snapshot())["last_seq"]) >= count


async def _until_killed(server: Server, account: Account, seen: list[bytes], wanted: int) -> list[bytes]:
    async with World(server) as world:
        sender = await world.device(account, after=None)
        raw = await world.raw(account)
        await raw.say({"id": "f", "do": "follow", "after": "0"})
        await raw.until("caught_up")
        replayed = [f.payload for f in raw.frames if f.opcode == TEXT and "seq" in f.body]
        assert replayed[: len(seen)] == seen, f"the log has changed\n{server.tail()}"
        await sender.say({"steps": 200, "pause": 0.01}, agent="stepper")
        fresh: list[bytes] = []
        deadline = time.monotonic() + 15
        while len(fresh) < wanted and time.monotonic() < deadline:
            frame = await raw.frame()
            if frame.opcode == TEXT and "seq" in frame.body:
                fresh.append(frame.payload)
        server.kill()
    return replayed + fresh

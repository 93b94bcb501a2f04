"""P2 and P3: one order for every device, no hole, each event once, across cuts at any byte."""

import asyncio
import json
import random
import time
from collections.abc import Sequence

from quintet.testing.accounts.account import Account
from quintet.testing.contracts import whole
from quintet.testing.sockets.raw import RawSocket
from quintet.testing.wire.frames import TEXT
from support.world import World

__all__ = ["check_cuts", "check_many_writers", "check_nothing_is_late", "read_from", "same_bytes"]


def same_bytes(seen: Sequence[bytes], reference: Sequence[bytes], who: str, world: World) -> None:
    """Two devices of a user have received the same bytes in the same order."""
    for place, (mine, theirs) in enumerate(zip(seen, reference, strict=False)):
        assert mine == theirs, f"{who} differs at {place}:\n{mine!r}\n{theirs!r}\n{world.server.tail()}"
    assert len(seen) == len(reference), f"{who} has {len(seen)} events, not {len(reference)}\n{world.server.tail()}"


async def check_many_writers(world: World, *, parallel: int = 5) -> None:
    """Parallel runs of one user share one dense order, the same bytes on two devices and for a third that comes later."""
    alice = await world.user()
    first, second = await world.device(alice, name="first"), await world.device(alice, name="second")
    orders = {"steps": 15, "pause": 0.0}
    said = await asyncio.gather(*(first.say(orders, agent="stepper") for _ in range(parallel)))
    for message in said:
        whole(await first.run(message.run_id, 30))
        await second.run(message.run_id, 30)
    last = (await alice.snapshot())["last_seq"]
    seen = [e["seq"] for e in first.events]
    assert seen == list(range(1, last + 1)), first.shown(f"the numbers are not 1..{last}")
    late = await world.device(alice, name="late")
    same_bytes([e.raw for e in second.events], [e.raw for e in first.events], "the second device", world)
    same_bytes([e.raw for e in late.events], [e.raw for e in first.events], "the late device", world)


# --- cuts -------------------------------------------------------------------------------------------------------------


async def _follow(world: World, account: Account, cursor: str) -> RawSocket:
    raw = await world.raw(account)
    await raw.say({"id": "f", "do": "follow", "after": cursor})
    await raw.until("following")
    return raw


async def read_from(world: World, account: Account, cursor: str, count: int, spill: int = 0) -> list[bytes]:
    """Follow from a cursor, take `count` events, then `spill` bytes of what comes next, and reset the connection."""
    raw = await _follow(world, account, cursor)
    taken: list[bytes] = []
    while len(taken) < count:
        frame = await raw.frame()
        if frame.opcode == TEXT and "seq" in frame.body:
            taken.append(frame.payload)
            if frame.body.get("final") is True:
                spill = 0
    if spill:
        await raw.exactly(spill)
    await raw.cut()
    return taken


async def _stutter(world: World, account: Account, run: str, count: int, spill: "random.Random | None") -> list[bytes]:
    """A device whose connection drops after every `count` events, while the run goes on."""
    seen: list[bytes] = []
    cursor, ended = "0", False
    while not ended:
        seen += await read_from(world, account, cursor, count, spill.randint(1, 40) if spill else 0)
        told = [json.loads(raw) for raw in seen[-count:]]
        cursor, ended = told[-1]["cursor"], any(e.get("final") is True and e["run_id"] == run for e in told)
    return seen


async def check_cuts(world: World, seed: int) -> None:
    """Cut after every event and inside frames while the run goes on, then at every frame boundary of the replay."""
    alice = await world.user()
    witness = await world.device(alice, name="witness")
    said = await witness.say({"steps": 8, "pause": 0.02}, agent="stepper")
    stutters = [
        _stutter(world, alice, said.run_id, 1, None),
        _stutter(world, alice, said.run_id, 1, random.Random(seed)),
    ]
    cut = await asyncio.wait_for(asyncio.gather(*stutters), 60)
    run = whole(await witness.run(said.run_id))
    reference = [e.raw for e in run]
    for place, seen in enumerate(cut):
        same_bytes(seen, reference, f"stutter {place} (seed {seed})", world)
    cursors = ["0", *(e["cursor"] for e in run)]
    for place in range(1, len(run)):
        head = await read_from(world, alice, "0", place)
        rest = await read_from(world, alice, cursors[place], len(run) - place)
        same_bytes([*head, *rest], reference, f"the replay cut after {place}", world)


# --- liveness ---------------------------------------------------------------------------------------------------------


async def check_nothing_is_late(world: World, *, rounds: int = 12, bound: float = 2.0) -> None:
    """A device that follows at the very moment in which an event is committed sees it at once, not at the next slow poll."""
    alice = await world.user()
    sender = await world.device(alice, after=None, name="sender")
    reader = await world.device(alice, after=None, name="reader")
    cursor = (await alice.snapshot())["cursor"]
    for place in range(rounds):
        begun = time.monotonic()
        said, followed = await asyncio.gather(sender.say(f"round {place}", agent="silent"), reader.follow(cursor))
        assert followed["type"] == "following", reader.shown(str(followed))
        story = await reader.run(said.run_id, 6)
        took = time.monotonic() - begun
        assert took < bound, reader.shown(f"round {place} took {took:.2f} s, the wake-up was lost")
        cursor = str(story[-1]["cursor"])

"""The connection of a socket dies at any byte: in a head, in a length, in the middle of a character, before the last byte."""

import asyncio
import json
import os
import random
from collections.abc import Iterator

import pytest

from quintet.testing.accounts.account import Account
from quintet.testing.contracts import whole
from quintet.testing.wire.frames import TEXT, frame_bytes
from support.checks.order import read_from, same_bytes
from support.world import World

pytestmark = pytest.mark.l3


async def test_a_cut_inside_any_frame_of_the_replay(world: World) -> None:
    """Before each event, and then in its head, after its head, in its middle and before its last byte: the rest comes once, in order."""
    alice = await world.user()
    witness = await world.device(alice, name="witness")
    run = whole(await witness.tell({"text": "é🎻" * 400}, "researcher"))
    reference = [event.raw for event in run]
    cursors = ["0", *(event["cursor"] for event in run)]
    for place, event in enumerate(run[:-1]):
        size = len(frame_bytes(TEXT, event.raw, masked=False))
        for spill in (1, 3, 5, size // 2, size - 1):
            head = await read_from(world, alice, "0", place, spill)
            rest = await read_from(world, alice, cursors[place], len(run) - place)
            same_bytes([*head, *rest], reference, f"cut after {place} events and {spill} bytes", world)


async def test_a_cut_at_random_bytes_while_the_run_goes_on(world: World) -> None:
    """A device that gets a few bytes at a time, from the upgrade on, has read the whole run in the end, each event once."""
    seed = int(os.environ.get("CUT_SEED", "0")) or random.randrange(1, 1 << 32)
    chance = random.Random(seed)
    alice = await world.user()
    witness = await world.device(alice, name="witness")
    said = await witness.say({"steps": 12, "pause": 0.03}, agent="stepper")
    seen: list[bytes] = []
    cursor, cuts = "0", 0
    while not seen or json.loads(seen[-1]).get("final") is not True:
        seen += await _sip(world, alice, cursor, chance.choice([1, 3, 300, 700, 1_500, 4_000]))
        cursor = json.loads(seen[-1])["cursor"] if seen else "0"
        cuts += 1
    run = whole(await witness.run(said.run_id))
    same_bytes(seen, [event.raw for event in run], f"the sipping device (CUT_SEED={seed})", world)
    assert cuts > 10, f"{cuts} cuts prove nothing"


async def _sip(world: World, account: Account, cursor: str, count: int) -> list[bytes]:
    """The events that are complete within the first `count` bytes after the upgrade; less where nothing more comes for a while."""
    raw = await world.connect.raw(world.server, token=account)
    assert raw.handshake.status == 101, raw.handshake
    await raw.say({"id": "f", "do": "follow", "after": cursor})
    data = b""
    try:
        async with asyncio.timeout(0.3):
            while len(data) < count and (more := await raw.some(count - len(data))):
                data += more
    except TimeoutError:
        pass
    await raw.cut()
    return [payload for payload in _payloads(data) if b'"seq":' in payload[:60]]


def _payloads(data: bytes) -> Iterator[bytes]:
    """Of each frame that is complete (RFC 6455, section 5.2; a server never masks)."""
    while len(data) >= 2:
        more = {126: 2, 127: 8}.get(data[1], 0)
        size = int.from_bytes(data[2 : 2 + more], "big") if more else data[1]
        if len(data) < 2 + more + size:
            return
        yield data[2 + more : 2 + more + size]
        data = data[2 + more + size :]

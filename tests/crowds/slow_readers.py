"""Readers that ask for everything and take nothing, and what they cost: as a function of a server, so that a sabotage is judged by the same."""

import asyncio
import contextlib
import json
import time
from typing import Any

from metrics.test_metrics import at, figures
from quintet.testing.accounts.account import Account, register_many
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connecting import Connect
from quintet.testing.sockets.raw import RawSocket
from quintet.testing.wire.frames import TEXT
from support.crowd import costing, percentile
from support.server import Server

__all__ = ["check_slow_readers"]

USERS, SOCKETS = 4, 10
EACH_MB = 0.5 * 1.048576  # of memory for each reader
FLOOD = {"pieces": 450, "size": 2000}  # nearly a megabyte, as much as one run may say
FLOODS = 4  # of each user: more than any buffer on the way
ROUNDS = 12


async def check_slow_readers(server: Server) -> str:
    """Forty readers that take nothing cost half a megabyte each at most and delay nobody; whoever reads at last has everything."""
    users = await asyncio.to_thread(register_many, server, USERS + 1)
    loop = LoopThread("slow readers")
    connect = Connect(loop)
    try:
        return await _judged(server, connect, users[:-1], users[-1])
    finally:
        await asyncio.to_thread(connect.finish)
        await asyncio.to_thread(loop.close)


async def _judged(server: Server, connect: Connect, users: list[Account], other: Account) -> str:
    heads = [await _flooded(server, connect, user) for user in users]
    for user in users:  # the database's own memory, which is nobody's, has now seen every page
        await connect.device(server, user, after="0", name="at once")
    before = await _rounds(server, connect, other)
    async with costing(server) as cost:
        readers = [await connect.raw(server, token=user, receive_buffer=4096) for user in users for _ in range(SOCKETS)]
        for reader in readers:
            await reader.say({"do": "follow", "id": "f", "after": "0"})
        during = await _rounds(server, connect, other)
        await _stuck(server)
        later = await _rounds(server, connect, other)
    each = cost.grown / len(readers)
    middle = ", ".join(f"{percentile(took, 0.5) * 1000:.0f}" for took in (before, during, later))
    told = (
        f"{len(readers)} readers that take nothing: {each:.2f} MB each; a run of somebody else takes {middle} ms before they come,"
        f" as they come, and beside them; {cost.processor:.1f} s of CPU in {cost.seconds:.1f} s"
    )
    assert each <= EACH_MB, f"{told}: more than {EACH_MB:.2f} MB"
    assert min(later) < 3 * percentile(before, 0.5) + 0.1, f"{told}: others are delayed"
    await asyncio.gather(*(_complete(readers[place * SOCKETS], head) for place, head in enumerate(heads)))
    return told


async def _flooded(server: Server, connect: Connect, user: Account) -> int:
    """Let the user's log grow; returns its head."""
    device = await connect.device(server, user, after=None)
    for _ in range(FLOODS):
        said = await device.say(FLOOD, agent="flooder")
        until = time.monotonic() + 60
        while (await user.get(f"/v1/runs/{said.run_id}"))["state"] in {"queued", "running"}:
            assert time.monotonic() < until, "a run that says a megabyte does not end"
            await asyncio.sleep(0.1)
    await device.close()
    return int((await user.snapshot())["last_seq"])


async def _stuck(server: Server) -> None:
    """Wait until every buffer on the way is full."""
    until, before = time.monotonic() + 20, -1.0
    while (now := at(await figures(server.url), "events_delivered_total")) != before:
        assert time.monotonic() < until, "readers that take nothing are sent more and more"
        before = now
        await asyncio.sleep(0.3)


async def _rounds(server: Server, connect: Connect, user: Account) -> list[float]:
    """How long short runs of another user take, in seconds."""
    device = await connect.device(server, user)
    took = []
    for _ in range(ROUNDS):
        begun = time.monotonic()
        await device.tell("hello", agent="echo")
        took.append(time.monotonic() - begun)
    await device.close()
    return took


async def _complete(reader: RawSocket, head: int) -> None:
    """It reads at last, or comes back with where it was: dense to the head."""
    last = 0
    with contextlib.suppress(asyncio.IncompleteReadError):
        while last < head:
            frame = await reader.frame(30)
            if frame.opcode != TEXT:
                continue
            body: dict[str, Any] = json.loads(frame.payload)
            if "seq" in body:
                assert body["seq"] == last + 1, f"{body['seq']} came after {last}"
                last = body["seq"]
    assert last == head, f"a reader that read at last has {last} of {head}"

"""P3 and P9: two thousand clients come back in the same moment."""

import asyncio
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connecting import Connect
from quintet.testing.targets import Target
from support.crowd import costing, percentile
from support.server import TESTS, Factory, Server

pytestmark = [pytest.mark.l3, pytest.mark.timeout(240), pytest.mark.hang_guard(230)]

USERS, SOCKETS, PROCESSES = 200, 10, 2
FILES = 8192
LIFE = 7200  # seconds, of the tokens that `people` signs
SLOWEST = 10.0  # seconds, the 99th percentile
EACH_MB = 0.064  # of memory for each socket; measured are 0.02
BUSY = {"429", "4005"}  # the only refusals there may be, each with a time to wait
_PEOPLE = """
import json, pathlib, sys
from benchmarks.kit.people import people
print(json.dumps(people(pathlib.Path(sys.argv[1]), int(sys.argv[2]))))
"""


@contextmanager
def many_files() -> Iterator[None]:
    """This process and those that it starts may open so many files; a machine that does not allow it is told so."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard == resource.RLIM_INFINITY or hard >= FILES, f"{FILES} open files are needed: ulimit -Hn is {hard}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def people(server: Server, count: int) -> list[str]:
    """Access tokens of so many users, written before the server starts: to register them would cost a minute of hashing."""
    made = subprocess.run(
        [sys.executable, "-c", _PEOPLE, str(server.data), str(count)],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    tokens: list[str] = json.loads(made.stdout.splitlines()[-1])
    return tokens


class Clients:
    """Processes full of clients."""

    def __init__(self) -> None:
        line = [sys.executable, str(TESTS / "crowds" / "clients.py")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._all = [subprocess.Popen(line, text=True, **pipes) for _ in range(PROCESSES)]  # type: ignore[call-overload]

    async def come(self, url: str, tokens: list[str], after: str) -> list[dict[str, Any]]:
        """All at once; the answer of each process."""
        for number, process in enumerate(self._all):
            share = tokens[number::PROCESSES]
            process.stdin.write(json.dumps({"url": url, "tokens": share, "after": after}) + "\n")
            process.stdin.flush()
        lines = await asyncio.gather(*(asyncio.to_thread(process.stdout.readline) for process in self._all))
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """End them."""
        for process in self._all:
            process.stdin.close()
            process.wait(15)
            process.stdout.close()


async def _write(server: Server, tokens: list[str]) -> None:
    """Everybody has written something, and an agent has answered."""
    loop = LoopThread("writing")
    connect = Connect(loop)
    try:
        for start in range(0, len(tokens), 20):
            devices = [await connect.device(server, token) for token in tokens[start : start + 20]]
            said = [await device.say({"steps": 6, "pause": 0}, agent="stepper") for device in devices]
            for device, message in zip(devices, said, strict=True):
                await device.run(message.run_id, 60)
                await device.close()
    finally:
        await asyncio.to_thread(connect.finish)
        await asyncio.to_thread(loop.close)


async def test_two_thousand_clients_come_back_at_once(server_factory: Factory, figure: Callable[[str], None]) -> None:
    """After kill -9 and a start 2,000 sockets of 200 users connect and follow in one moment: all complete, 99 of 100 within 10 s, none refused
    but with a time to wait, in bounded memory."""
    with many_files():
        server = server_factory(start=False, environment={"QUINTET_ACCESS_TOKEN_SECONDS": str(LIFE)})
        tokens = await asyncio.to_thread(people, server, USERS)
        await asyncio.to_thread(server.start)
        await _write(server, tokens)
        clients = Clients()
        try:
            await asyncio.to_thread(server.restart)
            async with costing(server) as cost:
                told = await clients.come(Target.of(server).url, tokens * SOCKETS, "0")
        finally:
            await asyncio.to_thread(clients.close)
    faults = [fault for one in told for fault in one["faults"]]
    assert not faults, f"{faults}\n{server.tail()}"
    completed = [client for one in told for client in one["completed"]]
    assert len(completed) == USERS * SOCKETS
    assert {client["last"] for client in completed} == {completed[0]["last"]}, "somebody lacks something"
    assert completed[0]["last"] > 20
    refused = {code: count for one in told for code, count in one["refused"].items()}
    assert set(refused) <= BUSY, f"refused without a time to wait: {refused}"
    seconds = [client["seconds"] for client in completed]
    figure(
        f"{len(completed)} clients: p50 {percentile(seconds, 0.5):.2f} s, p99 {percentile(seconds, 0.99):.2f} s; refused {refused};"
        f" memory {cost.memory[0]:.0f} MB, at most {max(cost.memory):.0f} MB; {cost.processor:.1f} s of CPU"
    )
    assert percentile(seconds, 0.99) < SLOWEST
    assert cost.grown < EACH_MB * len(completed), f"memory has grown by {cost.grown:.0f} MB"

"""P9: two hundred sign-ins at once, each worth a fifth of a second of a core, and what others feel of it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from accounts.real import refused
from quintet.testing.accounts.account import Account
from support.crowd import percentile
from support.server import Server

__all__ = ["check_flood", "check_flood_delays_nobody"]

FLOOD = 200
BOUND = 0.1  # seconds


async def check_flood(
    server: Server, account: Account, probe: Callable[[], Awaitable[Any]], *, pause: float = 0.0
) -> list[float]:
    """Every sign-in is answered: 200, or 503 with a time to come back. Returns how long `probe` took each time meanwhile.

    `pause` is the time between two probes, in seconds.
    """
    body = json.dumps({"email": account.email, "password": account.password}).encode()
    everybody = asyncio.gather(*(_sign_in(server, body) for _ in range(FLOOD)))
    waits = []
    while not everybody.done():
        await asyncio.sleep(pause)
        begun = time.perf_counter()
        await probe()
        waits.append(time.perf_counter() - begun)
    answers = await everybody
    assert {answer.status_code for answer in answers} <= {200, 401, 503}
    assert sum(answer.status_code == 200 for answer in answers) >= 2
    busy = [answer for answer in answers if answer.status_code == 503]
    assert busy, "nobody was turned away, so nothing was bounded"
    assert all(refused(answer) == (503, "busy") and int(answer.headers["retry-after"]) > 0 for answer in busy)
    assert len(waits) >= 5
    return waits


async def check_flood_delays_nobody(
    server: Server, account: Account, probe: Callable[[], Awaitable[Any]], *, share: float = 0.95, pause: float = 0.0
) -> float:
    """A `share` of the probes is answered within 100 ms while two hundred sign in; returns what was measured, in seconds.

    The bound is of the server; what else the machine does at that moment is not. So the calmest of three floods counts: a server
    that hashes where it serves exceeds the bound in each.
    """
    measured: list[float] = []
    for _ in range(3):
        measured.append(percentile(await check_flood(server, account, probe, pause=pause), share))
        if measured[-1] < BOUND:
            break
    assert min(measured) < BOUND, f"others waited {[round(wait * 1000) for wait in measured]} ms"
    return min(measured)


async def _sign_in(server: Server, body: bytes) -> httpx.Response:
    """One request on a connection of its own, made of bytes: two hundred real clients would keep this process busy, not the server."""
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = (
            f"POST /v1/auth/login HTTP/1.1\r\nHost: localhost:{server.port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        told, _, content = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
    first, *lines = told.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return httpx.Response(int(first.split()[1]), headers=headers, content=content)

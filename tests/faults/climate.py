"""A server around which anything can be wrong while it runs, and the test's hand on it. See `weather.py`."""

import asyncio
import json
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from typing import Any

from faults.arming import COMMAND
from support.server import Factory, Server

__all__ = ["Climate", "measure", "until", "weathered"]

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Climate:
    """The conditions of one server, in force when a call returns, also over its restarts."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._file = server.home / "weather.json"
        self._met = server.home / "met"
        server.environment |= {"FAULT_WEATHER": str(self._file), "FAULT_MET": str(self._met)}

    def set(self, **conditions: Any) -> None:
        """These conditions, and no others."""
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(conditions))
        draft.replace(self._file)

    def clear(self) -> None:
        """Fair weather."""
        self.set()

    def met(self) -> Counter[str]:
        """How often each condition has taken effect so far."""
        return Counter(self._met.read_text().splitlines() if self._met.exists() else [])

    async def until_met(self, word: str, times: int = 1, within: float = 20.0) -> int:
        """Wait until a condition has taken effect so often; returns how often it has."""
        deadline = time.monotonic() + within
        while (met := self.met()[word]) < times:
            assert time.monotonic() < deadline, f"{word!r} was met {met} times within {within} s\n{self._server.tail()}"
            await asyncio.sleep(0.02)
        return met


def weathered(
    make: Factory, *, start: bool = True, periods: dict[str, float] | None = None, **environment: str
) -> tuple[Server, Climate]:
    """A server and its climate; with variables of its environment, and `periods` of its sockets and agents made shorter."""
    server = make(start=False, command=COMMAND, environment=environment)
    server.environment["FAULT_PERIODS"] = json.dumps(periods or {})
    climate = Climate(server)
    if start:
        server.start()
    return server, climate


def measure(server: Server, name: str) -> float:
    """A figure of /metrics, all its labels together."""
    with _DIRECT.open(f"{server.url}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    found = [line.rpartition(" ")[2] for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
    assert found, f"there is no figure {name}"
    return sum(map(float, found))


async def until(holds: Callable[[], object], within: float, what: str) -> float:
    """Wait until it holds; returns the seconds it took. `holds` may block for a moment."""
    begun = time.monotonic()
    while not await asyncio.to_thread(holds):
        assert time.monotonic() - begun < within, f"waited {within} s in vain for {what}"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun

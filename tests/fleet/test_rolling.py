"""A new version, without anybody noticing: every node of a fleet is stopped and started again, one after the other, under load."""

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fleet.fleet import Fleet, Node
from fleet.load import again, endured
from quintet.testing.accounts.account import register
from quintet.testing.sockets.connecting import Connect
from support.faithful import Faithful

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(240)]

Maker = Callable[..., Fleet]
LONG = {"steps": 40, "pause": 0.04}  # still under way when the node is told to stop


class Proxy:
    """Where people connect: a gateway that is up, each in turn."""

    name, host = "the proxy", "127.0.0.1"

    def __init__(self, gateways: Sequence[Node]) -> None:
        self._turns = itertools.cycle(gateways)
        self.away: Node | None = None

    @property
    def port(self) -> int:
        """Of the next one."""
        return next(node for node in self._turns if node is not self.away).port


async def test_a_rolling_restart_loses_nothing(fleet_of: Maker, connect: Connect, tmp_path: Path) -> None:
    """SIGTERM of each of two workers and two gateways in turn, then a new one in its place: it ends with 0, and while it is away
    everybody is answered. Runs under way are ended by the worker that has them: all complete, none fails, none is cancelled, and of
    all that was told nothing is lost or told twice."""
    fleet = fleet_of()
    proxy = Proxy(fleet.gateways)
    alice = register(fleet.gateways[0])

    async def roll(_: random.Random, people: list[Faithful]) -> None:
        for person in people:
            person.place = proxy
        for node in (*fleet.workers, *fleet.gateways):
            proxy.away = node
            device = await connect.device(proxy, alice, name=f"beside {node.name}")
            long = [
                await device.say({**LONG, "mark": f"{node.name}-{node.port}-{at}"}, agent="stepper") for at in range(4)
            ]
            await asyncio.to_thread(node.stop)
            await asyncio.gather(*(person.goes_on() for person in people))
            for said in long:
                assert (await device.run(said.run_id, 30))[-1].type == "agent_completed"
            await device.close()
            await asyncio.to_thread(node.start)
            proxy.away = None

    async with again("rolling") as chance:
        ended = await endured(fleet, connect, chance, tmp_path / "healed", roll, each=1)
        assert set(ended) == {"agent_completed"}, ended

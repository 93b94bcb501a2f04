"""SIGTERM drains: running runs end, queued ones are kept, sockets are told, and the exit code is 0."""

import asyncio
import time

import pytest

from quintet.testing.contracts import whole
from support.effects import effect, effects
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3


async def test_sigterm_drains_and_exits_0(server_factory: Factory) -> None:
    """The running run completes, the queued one waits for the next start; the device is told `draining`, then 4000."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        device = await world.device(alice)
        running = await device.say({"mark": "drained", "seconds": 1.5}, agent="slow_tool")
        await effect(server, "begun", "drained")
        queued = await device.say("after the restart", agent="echo", thread_id=running.thread_id)
        server.terminate()
        told = await device.find("draining", lambda b: b["type"] == "draining")
        assert 0 <= told["after"] <= 60
        code, reason = await device.closed(20)
        assert (code, reason) == (4000, "draining")
        assert await asyncio.to_thread(server.wait, 20) == 0
        assert effects(server, "drained") == ["begun", "done"], "the running run was waited for"
        server.start()
        later = await world.device(alice, name="later")
        assert whole(await later.run(running.run_id)).ending.type == "agent_completed"
        assert whole(await later.run(queued.run_id)).ending["data"]["text"] == "after the restart"
        assert server.done()[-1].endswith("lookup after drained"), "no tool ran again"


async def test_sigterm_of_an_idle_server_is_quick(server_factory: Factory) -> None:
    """Open sockets and no run: it ends within 5 s with exit code 0."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        devices = [await world.device(alice, name=f"idle {n}") for n in range(3)]
        begun = time.monotonic()
        server.terminate()
        assert [(await device.closed())[0] for device in devices] == [4000] * 3
        assert await asyncio.to_thread(server.wait, 10) == 0
        assert time.monotonic() - begun < 5, f"an idle server took long to end\n{server.tail()}"

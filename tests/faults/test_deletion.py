"""kill -9 inside the portions of a deletion, and again while the next start finishes it."""

import asyncio
from pathlib import Path

import httpx
import pytest

from faults.arming import dies_at, mortal, restarted_to_die_at
from quintet.testing.contracts import whole
from support import oracle
from support.kept import read
from support.server import Factory
from support.world import World

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(150)]

LONG = {"steps": 120, "pause": 0}  # some 480 events, more than two portions


async def test_a_deletion_killed_in_its_portions_is_finished_once(server_factory: Factory, tmp_path: Path) -> None:
    """The log has no hole at any of the deaths; then nothing of the thread is left, and of the others everything, cursors too."""
    second = "in_portion:2"  # one portion is committed
    server = mortal(server_factory, second)
    async with World(server) as world:
        alice = await world.user()
        device = await world.device(alice)
        doomed = await device.say({**LONG, "mark": "doomed"}, agent="stepper", client_id="doomed")
        stays = await device.say({"steps": 20, "pause": 0.01, "mark": "stays"}, agent="stepper")
        gone = whole(await device.run(doomed.run_id, 60))
        kept = [event.raw for event in whole(await device.run(stays.run_id, 60))]
        with pytest.raises(httpx.TransportError):
            await alice.http.delete(f"/v1/threads/{doomed.thread_id}")
        assert await dies_at(server, second) == doomed.thread_id
        left = read(server.database(tmp_path / "left"))
        oracle.check_tiles(left)
        assert left.find(run_id=doomed.run_id), "nothing was left to do, so nothing was proven"

        assert await restarted_to_die_at(server, second) == doomed.thread_id
        oracle.check_tiles(read(server.database(tmp_path / "again")))
        await asyncio.to_thread(server.start)
        assert (await alice.http.get(f"/v1/threads/{doomed.thread_id}")).status_code == 404
        healed = read(server.database(tmp_path / "healed"))
        oracle.check_left(healed, [], [line for line in server.done() if "doomed" not in line])
        about = [row for row in healed.find() if doomed.thread_id.encode() in row.body or b"doomed" in row.body]
        assert {row.type for row in about} == {"thread_deleted"}
        late = await world.device(alice, name="late")
        assert [event.raw for event in late.events if event.run == stays.run_id] == kept
        middle = await world.device(alice, name="middle", after=gone[len(gone) // 2]["cursor"])
        assert {e.type for e in middle.events if e.run != stays.run_id} == {"thread_deleted"}
        told = await late.request("send", client_id="doomed", text="again", agent="stepper")
        assert (told["type"], told["code"]) == ("error", "not_found")

"""A full disk: what is new is refused with a code, what runs ends clearly, what was accepted stays, and room again is enough."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from faults.climate import measure, until, weathered
from faults.disks import DISKS, RESERVED_BYTES, Disk, Mounted, Pages, mounted
from quintet.testing.accounts.account import Account, good_passphrase, random_address, register
from quintet.testing.sockets.connecting import Connect
from support import oracle
from support.effects import effect, effects
from support.faithful import Faithful, faithful, heal, living
from support.kept import read
from support.server import Factory, Server

pytestmark = [pytest.mark.l3, pytest.mark.hang_guard(180), pytest.mark.parametrize("kind", DISKS)]

Place = Callable[[str], tuple[Server, Disk]]


@contextlib.contextmanager
def places(make: Factory) -> Iterator[Place]:
    """Makes servers whose disk can be filled; their runs may take six seconds."""
    with contextlib.ExitStack() as mounts:

        def made(kind: str) -> tuple[Server, Disk]:
            environment = {"QUINTET_RESERVED_BYTES": str(RESERVED_BYTES), "QUINTET_RUN_SECONDS": "6"}
            server, climate = weathered(make, start=False, periods={"grace": 0.5}, **environment)
            if kind == "mounted":
                mounts.enter_context(mounted(server.data))
            server.start()
            return server, Mounted(server) if kind == "mounted" else Pages(climate)

        yield made


@pytest.fixture
def place(server_factory: Factory) -> Iterator[Place]:
    """Such servers, ended before their disks."""
    with places(server_factory) as made:
        yield made


async def _filled(server: Server, disk: Disk, people: list[Faithful]) -> None:
    """Fill it, and wait until the server has noticed: by what its users do."""
    for person in people:
        person.fair = False
    disk.fill()
    await until(lambda: measure(server, "quintet_storage_scarce") == 1, 30, "somebody to meet the full disk")


async def _refusals(server: Server, alice: Account, thread_id: str) -> dict[str, httpx.Response]:
    async with alice.http as http:
        message = {"client_id": "new", "text": "hello", "agent": "echo"}
        return {
            "message": await http.post(f"/v1/threads/{thread_id}/messages", json=message),
            "thread": await http.post("/v1/threads", json={"title": "new"}),
            "file": await http.post("/v1/attachments", files={"file": ("a.txt", b"x" * 1000)}),
            "account": await http.post(
                "/v1/auth/register", json={"email": random_address(), "password": good_passphrase()}
            ),
        }


async def test_a_full_disk_refuses_what_is_new_and_ends_what_runs(
    place: Place, connect: Connect, tmp_path: Path, kind: str
) -> None:
    """Messages, threads, files, accounts: 507 with a wait. Meanwhile a cancel ends its run, a deadline ends another, a deletion and a
    sign-in are done. With room again all goes on; nothing that was accepted is lost or doubled."""
    server, disk = place(kind)
    alice = register(server)
    device = await connect.device(server, alice)
    people = faithful(server, connect, 2, random.Random)
    async with living(people) as lives:
        await asyncio.gather(*(person.goes_on() for person in people))
        spare = await device.say("to be deleted", agent="echo")
        await device.run(spare.run_id)
        stopped = await device.say({"mark": "stopped"}, agent="slow_tool")
        late = await device.say({"steps": 5000, "pause": 0.01}, agent="stepper")
        await effect(server, "begun", "stopped")
        await _filled(server, disk, people)

        for what, answer in (await _refusals(server, alice, stopped.thread_id)).items():
            assert (answer.status_code, answer.json()["code"]) == (507, "storage_full"), f"{what}: {answer.text}"
            assert int(answer.headers["retry-after"]) > 0
        told = await device.request("send", client_id="new", text="hello", agent="echo")
        assert (told["type"], told["code"]) == ("error", "storage_full")

        await alice.cancel(stopped.run_id)
        assert (await device.run(stopped.run_id, 20))[-1].type == "agent_cancelled"
        assert effects(server, "stopped") == ["begun", "cancelled"]
        ended = (await device.run(late.run_id, 20))[-1]
        assert ended.type == "agent_failed"
        assert ended.body["data"]["error"]["code"] == "unavailable"
        async with alice.http as http:
            assert (await http.delete(f"/v1/threads/{spare.thread_id}")).status_code == 204
        assert (await asyncio.to_thread(alice.again)).id == alice.id
        assert measure(server, "quintet_storage_scarce") == 1

        disk.empty()
        await asyncio.gather(*(person.goes_on() for person in people))
        assert (await device.tell("new", agent="echo", client_id="new"))[-1].type == "agent_completed"
        await heal(server, people, lives, tmp_path / "healed")
    assert measure(server, "quintet_storage_scarce") == 0
    assert sum(person.met["storage_full"] for person in people), "nobody who was writing met the refusal"


async def test_a_server_killed_on_a_full_disk_starts_on_it_and_ends_the_lost_runs(
    place: Place, connect: Connect, tmp_path: Path, kind: str
) -> None:
    """The room that is kept is enough for the endings of the dead server's runs, and for the next start to serve what can be read."""
    server, disk = place(kind)
    people = faithful(server, connect, 2, random.Random)
    alice = register(server)
    device = await connect.device(server, alice)
    async with living(people) as lives:
        await asyncio.gather(*(person.goes_on() for person in people))
        lost = await device.say({"mark": "lost"}, agent="slow_tool")
        await effect(server, "begun", "lost")
        for person in people:
            person.fair = False
        server.kill()
        disk.fill()  # while nobody can give the room up: it is there for the next start
        await asyncio.gather(*(person.alone() for person in people))
        left = read(server.database(tmp_path / "left"))
        await asyncio.to_thread(server.start)
        again = await connect.device(server, alice)
        story = await again.run(lost.run_id, 20)
        assert story[-1].body["data"]["error"]["code"] == "worker_lost"
        disk.empty()
        await asyncio.gather(*(person.goes_on() for person in people))
        await heal(server, people, lives, tmp_path / "healed")
    oracle.check_nothing_changed(left, read(server.database(tmp_path / "last")))
    assert effects(server, "lost") == ["begun"]

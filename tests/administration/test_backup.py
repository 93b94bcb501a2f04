"""`quintet backup` beside a server at work, and a server started on the copy."""

import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from administration.operator import Operator
from quintet.cli.development import FILE_NAME
from quintet.testing.accounts.account import Account, http_client
from quintet.testing.contracts import Seen, whole
from quintet.testing.sockets.device import Device
from support.server import Factory, Server
from support.world import World

pytestmark = pytest.mark.l3

STEPS = {"steps": 400, "pause": 0.03}  # goes on for as long as the test looks


@pytest.fixture
def busy(server_factory: Factory) -> Server:
    """A server of the test's own."""
    return server_factory()


async def test_a_copy_made_under_load_is_gone_on_from(busy: Server, server_factory: Factory, tmp_path: Path) -> None:
    """It has every event that was committed before it began; a client inside resumes exactly, one beyond it is told `resync`."""
    async with World(busy) as world:
        users = await world.users(4)
        devices = [await world.device(user, name=f"user {n}") for n, user in enumerate(users)]
        whole(await devices[0].tell("before the copy", "echo"))
        for device in devices[1:]:
            await device.say(STEPS, agent="stepper")
            await device.find("work", lambda e: e.body.get("run_seq", 0) > 30)
        seen = [list(device.events) for device in devices]

        file = tmp_path / "copy.db"
        done = await Operator(busy, tmp_path).run("backup", str(file))
        assert done.code == 0, done.said
        assert "Checked" in done.said

        whole(await devices[0].tell("after the copy", "echo"))
        lasts = [_last(file, user) for user in users]
        for device, earlier, last in zip(devices, seen, lasts, strict=True):
            assert last >= earlier[-1]["seq"], "an event that was committed before is missing"
            await device.find("more than the copy has", partial(_later, last))
        assert lasts[0] == seen[0][-1]["seq"]
        assert not any(e.body.get("final") for device in devices[1:] for e in device.events), "the load ended too early"
        with closing(sqlite3.connect(file)) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert copy.execute("PRAGMA foreign_key_check").fetchall() == []

        restored = _restored(server_factory, file, busy)
        for user, device, last in zip(users, devices, lasts, strict=True):
            await _goes_on(restored, user, device, last, after="future" if user is users[0] else "epoch")


def _later(last: int, event: Seen) -> bool:
    return (event.order or 0) > last


async def _goes_on(restored: Server, account: Account, old: Device, last: int, *, after: str) -> None:
    """A cursor inside the copy is gone on from exactly, with the same bytes; one beyond it says why it cannot be."""
    place = last // 2
    async with World(restored) as world:
        inside = await world.device(account, after=None, name="inside")
        beyond = await world.device(account, after=None, name="beyond")
        await inside.following(old.events[place].body["cursor"])
        expected = [event.raw for event in old.events[place + 1 : last]]
        assert [event.raw for event in inside.events[: len(expected)]] == expected
        told = await beyond.follow(old.events[last].body["cursor"])
        assert (told["type"], told["reason"]) == ("resync", after), told
        async with http_client(restored, account.access_token) as http:
            snapshot = (await http.get("/v1/snapshot")).json()
        assert snapshot["runs"] == [], "what ran when the copy was made has an ending"
        await beyond.following(snapshot["cursor"])
        whole(await beyond.tell("and on", "echo"))


def _last(file: Path, user: Account) -> int:
    """The user's last seq in the copy."""
    with closing(sqlite3.connect(file)) as copy:
        return int(copy.execute("SELECT seq FROM heads WHERE user_id = ?", (user.id,)).fetchone()[0])


def _restored(server_factory: Factory, file: Path, origin: Server) -> Server:
    """A server on the copy, with the secret of the first."""
    server = server_factory(start=False)
    shutil.copy(file, server.data / "quintet.db")
    shutil.copy(origin.data / FILE_NAME, server.data / FILE_NAME)
    server.start()
    return server

"""Which cell holds which shards: what a process with another map may do, and `quintet move --shards`."""

import asyncio
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from command_line.commands import quintet
from fleet.fleet import Fleet, Node
from fleet.maps import HALF, enrolled, placed, written
from quintet.accounts.settling import Settling
from quintet.errors import QuintetError
from quintet.log import Fenced, Log, Position
from quintet.runs import Leased, orphans_in
from quintet.scope import Identity
from quintet.server.status import Status, status_of
from quintet.settings import Options, load
from quintet.store import SHARDS, CellStore, MapError, has_all, nodes, open_store, shard_of
from quintet.store.moving import MoveError
from quintet.store.moving.shards import Move, move_shards
from quintet.store.tables import CONVERSATIONS
from quintet.testing.accounts.account import Account, register
from quintet.testing.services.handle import ServiceError
from quintet.testing.services.postgres.server import PostgresServer
from quintet.testing.sockets.connecting import Connect
from quintet.testing.sockets.device import Device
from support.days import House
from support.kernel import Kernel, eventually, within
from support.postgres import PostgresDatabase, own_server

Maker = Callable[..., Fleet]
LOWER = range(HALF)
STEPS = (
    "Leaving",
    "Copying",
    "Deleting",
    "Arriving",
    "Ending",
)  # killed before a step's commit, behind that of the one before


@asynccontextmanager
async def told(home: PostgresDatabase, places: list[str | None], *, checks: bool = True) -> AsyncIterator[Kernel]:
    """A process with this map, "" the accounts' own database. Without checks it is one that had begun before the map was changed."""
    cells = {url: partial(open_store, url) for url in places if url}
    store = CellStore(home.open(), cells, places, checks=checks)
    try:
        await within(store.start())
        log = Log(store)
        await log.start()
        try:
            yield Kernel(store, log)
        finally:
            await log.close()
    finally:
        await within(store.close())


async def nobody(token: str) -> Identity:
    """Nobody signs in here."""
    raise AssertionError(token)


async def people(kernel: Kernel) -> tuple[Leased, Leased]:
    """A user of the lower shards and one of the upper: each one's run that goes on; another one waits."""
    found: dict[bool, str] = {}
    while len(found) < 2:
        user = await kernel.user()
        found.setdefault(shard_of(user) < HALF, user)
    runs = []
    for user in (found[True], found[False]):
        await Settling(kernel.store, kernel.sources, nobody).settle(user)
        there = Kernel(kernel.store.of(user), kernel.log)
        run = await there.running(user)
        await there.append(run, there.thought(run, "before"))
        runs.append(run)
    for user in found.values():
        await Kernel(kernel.store.of(user), kernel.log).send(user, "waits")
    return runs[0], runs[1]


def a_move(home: PostgresDatabase, source: str, target: str, **changed: Any) -> Move:
    """Of the lower shards, by somebody whose map is that of everybody."""
    return Move(home.url, source, target, LOWER, "of all", 3_000, keep=False)._replace(**changed)


def moves(move: Move) -> dict[str, int]:
    """The rows that it has moved."""
    return move_shards(move, new_name=lambda: secrets.token_hex(6)).rows


def rows_of(database: PostgresDatabase, user: str) -> int:
    """How many rows a user's conversations have in a database, but for the head."""
    names = sorted(table.name for table in CONVERSATIONS if table.name != "heads")
    return sum(int(database.rows(f"SELECT count(*) FROM {name} WHERE user_id = %s", (user,))[0][0]) for name in names)


# --- the map --------------------------------------------------------------------------------------------------------------


@pytest.mark.l2
async def test_only_a_map_that_splits_nobody_is_started_with() -> None:
    """The first map is written down; after that it starts, and one that gives some shards to nobody. Others are refused: two cells
    exchanged, a new cell given shards that another one holds, one without cells, a database of somebody else, the accounts' twice."""
    home, near, far, new = (PostgresDatabase() for _ in range(4))
    right = placed({0: near.url, HALF: far.url})
    with pytest.raises(MapError, match="Nobody has written down"):
        await _starts(home, right)
    enrolled(home, right)
    enrolled(home, right)
    await _starts(home, right)
    await _starts(home, placed({0: near.url, 64: None, 96: near.url, HALF: far.url}))
    for wrong, why in (
        (placed({0: far.url, HALF: near.url}), "shards that it does not hold"),
        (placed({0: near.url, 64: new.url, 96: near.url, HALF: far.url}), "not one of this installation|does not hold"),
        (placed({0: "", HALF: far.url}), r"does not hold \(0-2047\)"),
        (placed({0: home.url, HALF: far.url}), "another address"),
    ):
        with pytest.raises(MapError, match=why):
            await _starts(home, wrong)
        with pytest.raises(MapError, match=f"{why}|accounts of its own"):
            enrolled(home, wrong)
        with pytest.raises(MapError, match=why):  # also after somebody has migrated with it
            await _starts(home, wrong)
    store = home.open()
    await within(store.start())
    with pytest.raises(MapError, match="are in cells"):
        await within(has_all(store))
    await within(store.close())
    with pytest.raises(MapError, match="another installation"):
        enrolled(PostgresDatabase(), right)


async def _starts(home: PostgresDatabase, places: list[str | None]) -> None:
    async with told(home, places):
        pass


@pytest.mark.l2
async def test_a_first_map_takes_no_conversation_away() -> None:
    """Where conversations are in the accounts' database already, a first map that gives their shards to a cell is refused, and so is one
    that leaves shards out, or that a living process does not have; one that leaves everything there is taken."""
    home, cell = PostgresDatabase(), PostgresDatabase()
    enrolled_later = placed({0: "", HALF: cell.url})
    store = home.open()
    await within(store.start())
    log = Log(store)
    await log.start()
    kernel = Kernel(store, log)
    try:
        user = await kernel.user()
        await kernel.send(user)
        wrong = placed({0: cell.url}) if shard_of(user) < HALF else enrolled_later
        with pytest.raises(MapError, match=f"already \\(shards {shard_of(user)}\\)"):
            enrolled(home, wrong)
        with pytest.raises(MapError, match="belong to no cell yet"):
            enrolled(home, placed({0: "", 64: None}))
        other = nodes.Node.here("nod_1", "gateway", "1", None, "another map")
        await within(store.write("", lambda tx: nodes.show(tx, other)))
        with pytest.raises(MapError, match="A process runs that has another map"):
            enrolled(home, placed({0: ""}))
        home.change("DELETE FROM nodes")
        enrolled(home, placed({0: ""}))
        await within(has_all(store))
        await kernel.send(user)
        empty = (shard_of(user) + 1) % SHARDS
        moved = await asyncio.to_thread(moves, a_move(home, home.url, cell.url, shards=range(empty, empty + 1)))
        assert (moved["heads"], sum(moved.values())) == (0, 0), "a shard with nobody in it moves, too"
    finally:
        await log.close()
        await within(store.close())


# --- moving ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def another_server() -> Iterator[PostgresServer]:
    """A second PostgreSQL."""
    made = own_server()
    yield made
    made.end()


_TO_THE_END = """
import os, signal, sys
from quintet.store.moving.shards import Move, move_shards

def progress(step, done, total):
    if step == sys.argv[4]:
        os.kill(os.getpid(), signal.SIGKILL)

move = Move(*sys.argv[1:4], range(2048), "of all", 3_000, keep=False)
move_shards(move, new_name=lambda: "one cell", progress=progress)
"""


@pytest.mark.l2
@pytest.mark.hang_guard(200)
async def test_a_move_that_is_killed_at_every_step(another_server: PostgresServer) -> None:
    """Killed at each of its steps and started again each time, a move takes all of its users' rows to the other server, once: numbers,
    cursors, what runs and what waits. Nobody else's are touched, another move is refused meanwhile, and the end says that it was done."""
    home, near, elsewhere = (PostgresDatabase() for _ in range(3))
    far = PostgresDatabase(on=another_server)
    enrolled(home, placed({0: near.url}))
    async with told(home, placed({0: near.url})) as kernel:
        mover, stayer = [run.user_id for run in await people(kernel)]
        before, cursor = await kernel.rows(mover), (await kernel.log.head(mover))[1]
        stayers = await kernel.rows(stayer)
    count = rows_of(near, mover)
    assert count > 5
    for step in STEPS:
        line = [sys.executable, "-c", _TO_THE_END, home.url, near.url, far.url, step]
        killed = await asyncio.to_thread(subprocess.run, line, capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
        assert count in {_held(near, mover), rows_of(far, mover)}, f"lost or twice at {step}"
        if step in {"Copying", "Deleting", "Ending"}:
            with pytest.raises(MoveError, match=r"not at its end \(shards 0-2047\)|does not hold these shards"):
                moves(a_move(home, near.url, far.url, shards=range(64, 96)))
            with pytest.raises(MoveError, match="does not hold these shards, or not to go to this one"):
                moves(a_move(home, near.url, elsewhere.url))
    moves(a_move(home, near.url, far.url))
    assert moves(a_move(home, near.url, far.url)) == {}, "it was there already"
    assert (rows_of(near, mover), rows_of(far, mover), rows_of(near, stayer)) == (0, count, rows_of(near, stayer))
    async with told(home, placed({0: far.url, HALF: near.url})) as kernel:
        assert await kernel.rows(mover) == before
        found = await kernel.log.resolve(mover, cursor)
        assert isinstance(found, Position)
        assert found.after == before[-1].seq
        there = Kernel(kernel.store.of(mover), kernel.log)
        assert [run.user_id for run in await within(there.store.read(orphans_in))] == [mover], "what ran is nobody's"
        assert [run.user_id for run in await there.lease()] == [mover], "what waited waits"
        before = await kernel.rows(mover)
        await there.send(mover, "after")
        assert [row.seq for row in await kernel.rows(mover)] == list(range(1, before[-1].seq + 2))
        assert await kernel.rows(stayer) == stayers
    with pytest.raises(MapError, match=r"does not hold \(0-2047\)"):
        await _starts(home, placed({0: near.url}))


def _held(database: PostgresDatabase, user: str) -> int:
    """`rows_of` the old cell with what is set aside there."""
    aside = [
        name for name in ("runs", "deletions") if database.rows(f"SELECT to_regclass('leaving_{name}')") != [(None,)]
    ]
    found = [database.rows(f"SELECT count(*) FROM leaving_{name} WHERE user_id = %s", (user,)) for name in aside]
    return rows_of(database, user) + sum(int(rows[0][0]) for rows in found)


@pytest.mark.l2
async def test_what_waits_for_its_segments_end_stays_behind() -> None:
    """Of a log whose old events are hidden goes to another cell what can be read, and back; it is read as before, goes on, and turns there."""
    home, near, far = (PostgresDatabase() for _ in range(3))
    whole, split = placed({0: near.url}), placed({0: far.url, HALF: near.url})
    enrolled(home, whole)
    async with told(home, whole) as kernel:
        while shard_of(user := await kernel.user()) >= HALF:
            pass
        await Settling(kernel.store, kernel.sources, nobody).settle(user)
        old = House(Kernel(kernel.store.of(user), kernel.log), near)
        await old.look()
        await old.told(user)
        await old.days(5)
        await old.told(user)
        await old.days(4)
        before, now = await old.readable(user), old.clock.now
        assert (before[0], len(before[1]), len(old.stored(user))) == (6, 6, 12)
    for step, (source, target, map_) in enumerate(((near, far, split), (far, near, whole)), 1):
        assert moves(a_move(home, source.url, target.url))["events"] == 6 * step
        async with told(home, map_) as kernel:
            new = House(Kernel(kernel.store.of(user), kernel.log), target)
            new.clock.now = now
            after, rows = await new.readable(user)
            assert (after, rows[:6], len(rows), len(new.stored(user))) == (*before, 6 * step, 6 * step)
            await new.look()
            await new.told(user)
            assert await new.readable(user) == (
                6,
                [*rows, *((n, n, kind) for n, (_, _, kind) in enumerate(rows[:6], rows[-1][1] + 1))],
            )
            assert new.database.rows("SELECT segment > 0 FROM heads WHERE user_id = ?", (user,)) == [(True,)]


@pytest.mark.l2
async def test_no_log_is_written_in_two_cells() -> None:
    """A living process with another map is a reason to refuse the move. One that had begun with the old map and was not seen: for who is
    moved it can neither append nor read, a worker finds no run of theirs, and newcomers get no place there. Within seconds it notices. The
    others go on."""
    home, near, far = (PostgresDatabase() for _ in range(3))
    old = placed({0: near.url})
    enrolled(home, old)
    async with told(home, old, checks=False) as blind, told(home, old) as seeing:
        run, run_of_stayer = await people(blind)
        mover, stayer = run.user_id, run_of_stayer.user_id
        other = nodes.Node.here("nod_1", "gateway", "1", None, "another map")
        await within(blind.store.write("", lambda tx: nodes.show(tx, other)))
        with pytest.raises(MoveError, match=r"Not every process has this QUINTET_CELLS.*\(gateway nod_1 on"):
            await asyncio.to_thread(moves, a_move(home, near.url, far.url))
        home.change("DELETE FROM nodes")
        await asyncio.to_thread(moves, a_move(home, near.url, far.url))
        stale = Kernel(blind.store.of(mover), blind.log)
        with pytest.raises(Fenced):
            await stale.append(run, stale.thought(run, "too late"))
        for refused in (
            lambda: stale.send(mover),
            lambda: blind.log.head(mover),
            lambda: blind.log.resolve(mover, "0"),
        ):
            with pytest.raises(QuintetError, match="unavailable"):
                await refused()
        newcomer = next(name for n in range(99) if shard_of(name := f"usr_new{n}") < HALF)
        with pytest.raises(QuintetError):
            await within(Settling(blind.store, blind.sources, nobody).settle(newcomer))
        assert [run.user_id for run in await stale.lease()] == [stayer]
        await Kernel(blind.store.of(stayer), blind.log).send(stayer)
        await eventually(lambda: seeing.store.apart(mover) is not seeing.store.apart(stayer))
        assert near.rows("SELECT seq, epoch FROM heads WHERE user_id = %s", (mover,)) == [(0, "-")]


@pytest.mark.l2
async def test_out_of_the_accounts_database_and_back() -> None:
    """Where everything is in one database, shards go from it to a cell and back again: accounts and revisions stay where they are, no
    password comes to the cell, and who registers meanwhile is at home where their shard is, also with a process that knows no cells."""
    home, cell = PostgresDatabase(), PostgresDatabase()
    enrolled(home, placed({0: ""}))
    async with told(home, placed({0: ""})) as kernel:
        mover = (await people(kernel))[0].user_id
        before, cursor = await kernel.rows(mover), (await kernel.log.head(mover))[1]
        await within(kernel.store.write(mover, lambda tx: tx.revoke(mover)))
        await asyncio.to_thread(moves, a_move(home, home.url, cell.url))
        with pytest.raises(QuintetError):
            await kernel.send(mover)
        late = await kernel.user()
        while shard_of(late) >= HALF:
            late = await kernel.user()
        with pytest.raises(QuintetError):
            await kernel.send(late)
    assert cell.rows("SELECT DISTINCT email, password_hash, role FROM users") == [("", "", "housed")]
    async with told(home, placed({0: cell.url, HALF: ""})) as kernel:
        assert await kernel.rows(mover) == before
        assert isinstance(await kernel.log.resolve(mover, cursor), Position)
        await Settling(kernel.store, kernel.sources, nobody).settle(late)
        for user in (mover, late):
            await Kernel(kernel.store.of(user), kernel.log).send(user)
        await within(kernel.store.write(mover, lambda tx: tx.revoke(mover)))
        count = len(await kernel.rows(mover))
    home.change(f"UPDATE heads SET epoch = 'another', seq = 5 WHERE user_id = '{mover}'")
    for _ in range(2):
        with pytest.raises(MoveError, match="has logs of these users already"):
            await asyncio.to_thread(moves, a_move(home, cell.url, home.url))
    home.change(f"UPDATE heads SET seq = 0 WHERE user_id = '{mover}'")
    await asyncio.to_thread(moves, a_move(home, cell.url, home.url))
    async with told(home, placed({0: ""})) as kernel:
        assert len(await kernel.rows(mover)) == count
        assert isinstance(await kernel.log.resolve(mover, cursor), Position)
        await kernel.send(mover)
        await kernel.send(late)
    assert home.rows("SELECT auth_rev FROM heads WHERE user_id = %s", (mover,)) == [(2,)]
    assert (rows_of(cell, mover), rows_of(cell, late)) == (0, 0)


# --- with processes -------------------------------------------------------------------------------------------------------


@pytest.mark.l3
@pytest.mark.hang_guard(200)
async def test_a_map_is_changed_process_by_process(fleet_of: Maker, connect: Connect, tmp_path: Path) -> None:
    """As docs/scale.md says it. Where one process has given shards to nobody and another has not, both serve everybody else, what waits in
    the shards is run all the same, readiness and status name the other, and the move is refused; when that has ended, it moves. One that comes
    back with the old map does not start. With the new map the user's cursor goes on, without `resync`."""
    home, near, far = (PostgresDatabase() for _ in range(3))
    maps = [
        written(placed(cells)) for cells in ({0: near.url}, {0: None, HALF: near.url}, {0: far.url, HALF: near.url})
    ]
    fleet = fleet_of(home, gateways=1, workers=0, variables=maps[0])
    (gateway,) = fleet.gateways
    both = Node(gateway.home.parent / "both", "all", home, fleet.environment)
    fleet.nodes.append(both)
    both.start()
    mover, stayer = _one_of_each(both)
    cursors = {}
    for account in (mover, stayer):
        device = await connect.device(both, account)
        await _talk(device)
        cursors[account.id] = str(device.events[-1].cursor)
    both.terminate()
    both.wait()
    device = await connect.device(gateway, mover)
    waits = await device.say({"steps": 2}, agent="stepper")
    await _again(both, maps[1])
    assert (await device.run(waits.run_id, 20))[-1].type == "agent_completed", (
        "what had begun to wait is done where it is"
    )
    cursors[mover.id] = str(device.events[-1].cursor)
    assert both.ready()["status"] == "ready"
    assert both.ready()["checks"]["map of the cells"] == "failing"  # type: ignore[index]
    assert f"gateway {_id(home, 'gateway')} on" in both.log.read_text(), "the log names it"
    (problem,) = (await _status(home, maps[1])).problems
    assert "Processes have 2 maps of the cells" in problem
    with mover.http_now as http:
        assert http.get(f"{both.url}/v1/snapshot").status_code == 503
    line = ("--shards", f"0-{HALF - 1}", "--from", near.url, "--to", far.url)
    refused = _move(tmp_path, home, maps[1], *line, code=1)
    assert "Not every process has this QUINTET_CELLS" in refused
    assert _id(home, "gateway") in refused
    assert rows_of(near, mover.id) > 0
    gateway.terminate()
    gateway.wait()
    said = _move(tmp_path, home, maps[1], *line)
    assert "nothing is missing" in said, said
    gateway.environment |= maps[0]
    with pytest.raises(ServiceError, match="exit code 78") as old:
        await asyncio.to_thread(gateway.start)
    assert f"shards that it does not hold (0-{HALF - 1})" in str(old.value)
    await _again(both, maps[2])
    found = await _status(home, maps[2])
    assert [cell.shards for cell in found.cells] == ["", f"0-{HALF - 1}", f"{HALF}-4095"]
    for account in (mover, stayer):
        device = await connect.device(both, account, after=cursors[account.id])
        await _talk(device)
        device.story.whole()
    assert not rows_of(near, mover.id)
    assert rows_of(far, mover.id)


def _one_of_each(node: Node) -> tuple[Account, Account]:
    found: dict[bool, Account] = {}
    while len(found) < 2:
        account = register(node)
        found.setdefault(shard_of(account.id) < HALF, account)
    return found[True], found[False]


async def _talk(device: Device) -> None:
    said = await device.say({"steps": 2}, agent="stepper")
    await device.run(said.run_id, 20)


async def _again(node: Node, variables: dict[str, str]) -> None:
    if node.alive:
        node.terminate()
        await asyncio.to_thread(node.wait)
    node.environment |= variables
    await asyncio.to_thread(node.start)


def _id(home: PostgresDatabase, role: str) -> str:
    return str(home.rows("SELECT id FROM nodes WHERE role = %s", (role,))[0][0])


async def _status(home: PostgresDatabase, variables: dict[str, str]) -> Status:
    environment = {"QUINTET_DATABASE_URL": home.url, "QUINTET_WORKER_LIFE_SECONDS": "3", **variables}
    return await status_of(load(environment, None, Options(), lambda _: secrets.token_urlsafe(48), serves=False))


def _move(folder: Path, home: PostgresDatabase, variables: dict[str, str], *words: str, code: int = 0) -> str:
    environment = {"QUINTET_DATABASE_URL": home.url, "QUINTET_WORKER_LIFE_SECONDS": "3", **variables}
    done = quintet("move", *words, folder=folder, environment=environment)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    return done.stderr

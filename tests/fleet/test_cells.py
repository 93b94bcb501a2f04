"""Conversations in several databases: each user's rows in one cell, one gateway for all, and a cell that is away is away for its users."""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import httpx
import pytest

from fleet.fleet import Fleet, Node
from fleet.maps import HALF, enrolled, placed, written
from quintet.errors import QuintetError
from quintet.server.opening import migrated, open_database
from quintet.settings import StartError, load
from quintet.settings.fleet import SHARDS as SHARDS_IN_SETTINGS
from quintet.store import SHARDS, CellStore, Renewed, schema, shard_of
from quintet.store.cells.shards import shard_in
from quintet.store.tables import CONVERSATIONS, metadata
from quintet.testing.accounts.account import Account, register
from quintet.testing.faults.proxy import Faults
from quintet.testing.services.postgres.server import PostgresServer
from quintet.testing.sockets.connecting import Connect
from quintet.testing.sockets.device import Device
from support.kernel import eventually, within
from support.postgres import PostgresDatabase, own_server

Maker = Callable[..., Fleet]


@dataclass
class Cells:
    """Where accounts are, and the two cells; the second is on a server of its own."""

    home: PostgresDatabase
    near: PostgresDatabase
    far: PostgresDatabase

    def __post_init__(self) -> None:
        enrolled(self.home, self.places)

    @property
    def places(self) -> list[str | None]:
        """The map."""
        return placed({0: self.near.url, HALF: self.far.url})

    @property
    def variables(self) -> dict[str, str]:
        """The setting."""
        return written(self.places)

    def of(self, account: Account) -> PostgresDatabase:
        """The cell of a user."""
        return self.near if shard_of(account.id) < HALF else self.far


@pytest.fixture
def server_of_the_far() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may kill."""
    made = own_server()
    yield made
    made.end()


@pytest.fixture
def cells(server_of_the_far: PostgresServer) -> Cells:
    """Three databases on two servers."""
    return Cells(PostgresDatabase(), PostgresDatabase(), PostgresDatabase(on=server_of_the_far))


def _one_of_each(fleet: Fleet, cells: Cells) -> tuple[Account, Account]:
    """A user of the near cell and one of the far."""
    found: dict[str, Account] = {}
    while len(found) < 2:
        account = register(fleet.gateways[0])
        found.setdefault(cells.of(account).url, account)
    return found[cells.near.url], found[cells.far.url]


def _owners(database: PostgresDatabase) -> dict[str, set[str]]:
    """Whose rows are in each table that has users, where it has any."""
    owned = [table.name for table in metadata.tables.values() if "user_id" in table.c]
    found = {name: {row[0] for row in database.rows(f"SELECT DISTINCT user_id FROM {name}")} for name in owned}
    return {name: users for name, users in found.items() if users}


def _answer(account: Account, gateway: Node, method: str, path: str, **sent: object) -> httpx.Response:
    with account.http_now as http:
        return http.request(method, f"{gateway.url}{path}", **sent)  # type: ignore[arg-type]


async def _talk(devices: Sequence[Device]) -> None:
    """Whoever speaks is heard on all of their own devices, the same bytes."""
    said = await devices[0].say({"steps": 3}, agent="stepper")
    for device in devices:
        await device.run(said.run_id, 20)
    assert len({tuple(event.raw for event in device.events) for device in devices}) == 1


@pytest.mark.l3
@pytest.mark.hang_guard(200)
async def test_users_of_two_cells_at_one_gateway(fleet_of: Maker, cells: Cells, connect: Connect) -> None:
    """Both talk, with files and at another gateway too; each one's conversation is in their own cell only and the account in the first
    database only; a logout closes the sockets elsewhere; an export has it all, and a deletion leaves no row anywhere."""
    fleet = fleet_of(cells.home, gateways=2, workers=1, variables=cells.variables)
    people = _one_of_each(fleet, cells)
    devices = {}
    for account in people:
        devices[account.id] = [await connect.device(gateway, account, name=gateway.name) for gateway in fleet.gateways]
        await _talk(devices[account.id])
        await account.attach("notes.txt", b"what was said")
    for account, other in zip(people, reversed(people), strict=True):
        there = _owners(cells.of(account))
        assert {"events", "heads", "threads", "messages", "runs", "attachments"} <= there.keys()
        assert all(users == {account.id} for users in there.values())
        assert there.keys() <= {table.name for table in CONVERSATIONS}
        assert other.id not in str(await account.snapshot())
        assert cells.of(account).rows("SELECT email, password_hash, role FROM users") == [("", "", "housed")]
    at_home = _owners(cells.home)
    assert at_home.keys() & {table.name for table in CONVERSATIONS} == {"heads"}
    assert set(cells.home.rows("SELECT DISTINCT seq FROM heads")) == {(0,)}
    for account in people:
        told = _answer(account, fleet.gateways[0], "GET", "/v1/auth/me/export").json()
        assert len(told["events"]) == len(devices[account.id][0].events)
        assert [file["name"] for file in told["attachments"]] == ["notes.txt"]
        assert len(told["threads"]) == 1
        assert told["sessions"]
        again = account.again()
        account.logout()
        assert [(await device.closed(10))[0] for device in devices[account.id]] == [4501, 4501]
        gone = _answer(again, fleet.gateways[0], "DELETE", "/v1/auth/me", json={"password": account.password})
        assert gone.status_code == 204, gone.text
        assert not _owners(cells.of(account))
        assert cells.of(account).rows("SELECT id FROM users") == []
    assert not {account.id for account in people} & {row[0] for row in cells.home.rows("SELECT id FROM users")}


@pytest.mark.l3
@pytest.mark.hang_guard(240)
async def test_a_dead_cell_is_nobody_elses_concern(
    fleet_of: Maker, cells: Cells, server_of_the_far: PostgresServer, connect: Connect
) -> None:
    """One cell is killed: its users are told 503 and keep their sockets; those of the other talk, come and register as before, also at
    a gateway that starts meanwhile, and every gateway is ready and names the cell. When it is back, so are its users, with all they had."""
    fleet = fleet_of(cells.home, gateways=2, workers=1, variables=cells.variables)
    here, there = fleet.gateways
    near, far = _one_of_each(fleet, cells)
    mine, theirs = [await connect.device(here, account) for account in (near, far)]
    await _talk([mine])
    await _talk([theirs])
    server_of_the_far.kill()
    there.kill()
    await asyncio.to_thread(there.start)
    for gateway in (here, there):
        assert gateway.ready()["status"] == "ready"
        checks = gateway.ready()["checks"]
        assert isinstance(checks, dict)
        assert (checks["database"], checks["cell 1"], checks["cell 2"]) == ("ok", "ok", "failing")
    elsewhere = await connect.device(there, near, after="0")
    for _ in range(5):
        await _talk([mine, elsewhere])
    while cells.of(newcomer := register(there)) is not cells.near:
        pass
    await _talk([await connect.device(there, newcomer)])
    for gateway in (here, there):
        assert _answer(far, gateway, "GET", "/v1/snapshot").status_code == 503
        assert _answer(far, gateway, "GET", "/v1/auth/me").status_code == 200  # the account is not in the cell
    assert (await connect.refused(there, "/v1/ws", token=far)).status == 503
    refused = await theirs.request("send", client_id="while-away", text="hello", agent="echo")
    assert (refused["type"], refused["code"]) == ("error", "unavailable")
    assert theirs.close_code is None
    await asyncio.to_thread(server_of_the_far.start)
    async with asyncio.timeout(12):
        while any(gateway.ready()["checks"]["cell 2"] != "ok" for gateway in fleet.gateways):  # type: ignore[index]
            await asyncio.sleep(0.05)
    back = await connect.device(there, far, after="0")
    await _talk([theirs, back])
    for device in (mine, theirs, elsewhere, back):
        device.story.whole()


@pytest.mark.l3
@pytest.mark.hang_guard(200)
async def test_whoever_cannot_ask_about_accounts_delivers_nothing(
    fleet_of: Maker, cells: Cells, connect: Connect, faults: Faults
) -> None:
    """A gateway that reaches the cells and not the accounts does not hear of a logout. Once it has noticed that, nothing goes out to
    anybody in a cell; when it reaches them again the one is closed, and the other misses nothing."""
    fleet = fleet_of(cells.home, gateways=1, workers=1, variables=cells.variables)
    between = faults(f"127.0.0.1:{cells.home.server.port}")
    apart = Node(
        fleet.gateways[0].home.parent / "apart",
        "gateway",
        cells.home,
        {
            **fleet.environment,
            "QUINTET_DATABASE_URL": cells.home.url.replace(f":{cells.home.server.port}/", f":{between.port}/"),
        },
    )
    fleet.nodes.append(apart)
    apart.start()
    people = _one_of_each(fleet, cells)
    here = [await connect.device(fleet.gateways[0], account) for account in people]
    there = [await connect.device(apart, account) for account in people]
    for devices in zip(here, there, strict=True):
        await _talk(devices)
    second = await connect.device(apart, people[0].again())
    between.refuse()
    between.reset()
    people[0].logout()
    assert (await here[0].closed(10))[0] == 4501
    async with asyncio.timeout(20):
        while apart.status("/readyz") != 503:
            await asyncio.sleep(0.1)
    await asyncio.sleep(5)  # by then it has looked at the heads: the time that the promise allows
    count = [len(device.events) for device in there]
    await second.send({"id": "s", "do": "send", "client_id": "in-doubt", "text": "hello", "agent": "echo"})
    await _talk([here[1]])
    assert [len(device.events) for device in there] == count
    between.clear()
    assert (await there[0].closed(20))[0] == 4501
    assert len(there[0].events) == count[0]
    await second.step(
        "what was said in doubt", lambda: [e for e in second.events if e.type == "agent_completed"][1:] or None, 20
    )
    await there[1].step("all of it", lambda: len(there[1].events) == len(here[1].events) or None, 20)
    there[1].story.whole()


# --- the map --------------------------------------------------------------------------------------------------------------


@pytest.mark.l1
def test_a_shard_is_for_ever() -> None:
    """Known users have known shards: another hash would look for everybody in the wrong cell. They spread evenly."""
    assert [shard_of(user) for user in ("usr_a", "usr_b", "usr_01JABCDEFGHJKMNPQRSTVWXYZ0")] == [3296, 135, 2504]
    counts = [0] * 16
    for number in range(16_000):
        counts[shard_of(f"usr_{number}") * 16 // SHARDS] += 1
    assert max(counts) < 1_150
    assert min(counts) > 850
    assert SHARDS == SHARDS_IN_SETTINGS


@pytest.mark.l2
def test_the_database_knows_the_same_shards() -> None:
    """Whoever moves a shard asks PostgreSQL for its users."""
    names = [f"usr_{number:x}" for number in range(300)]
    found = PostgresDatabase().rows(f"SELECT {shard_in('name')} FROM unnest(ARRAY{names}) AS names (name)")
    assert [row[0] for row in found] == [shard_of(name) for name in names]


def test_what_has_a_user_is_in_the_cell_or_with_the_account() -> None:
    """Every table with a user is decided about; what refers to a conversation is beside it, for no key crosses databases."""
    for table in metadata.tables.values():
        for key in table.foreign_keys:
            there = key.column.table
            assert (there in CONVERSATIONS) == (table in CONVERSATIONS) or there.name == "users"
    assert {table.name for table in CONVERSATIONS} == {
        "attachments", "deleted_sends", "deletions", "events", "gone_digests", "heads", "message_attachments", "messages", "runs", "threads",
    }  # fmt: skip


@pytest.mark.l2
async def test_a_cell_is_told_of_alone() -> None:
    """Another epoch of one cell is said of that one; nobody's shards are refused; a map that leaves shards out is no map."""
    home, near = PostgresDatabase(), PostgresDatabase()
    places = ["near"] * HALF + [None] * HALF
    with pytest.raises(ValueError, match="4096"):
        CellStore(home.open(), {}, places[1:])
    store = CellStore(home.open(), {"near": near.open}, places, checks=False)
    told: list[object] = []
    store.on_commit(told.extend)
    await within(store.start())
    try:
        await eventually(lambda: store.in_touch)
        names = iter(f"usr_{number}" for number in range(1_000))
        lower = next(name for name in names if shard_of(name) < HALF)
        upper = next(name for name in names if shard_of(name) >= HALF)
        row = await within(store.of(lower).read(lambda tx: tx.sql("SELECT current_database()").fetchone()))
        assert row[0] == near.url.rpartition("/")[2]
        with pytest.raises(QuintetError) as refused:
            await within(store.of(upper).write(upper, lambda tx: None))
        assert refused.value.code == "unavailable"
        await within(store.of(lower).write(lower, lambda tx: tx.publish(Renewed())))
        assert told == [Renewed(store.of(lower))]
    finally:
        await within(store.close())


@pytest.mark.l2
def test_all_are_migrated_together() -> None:
    """`quintet migrate` brings the accounts' database and every cell to this version; a server refuses a cell of another one."""
    databases = PostgresDatabase().server.databases
    assert databases is not None
    home, near, far = [databases.create(f"cell{secrets.token_hex(4)}").url for _ in range(3)]
    cells = f"0-{HALF - 1}={near} {HALF}-{SHARDS - 1}={far}"
    settings = load({"QUINTET_DATABASE_URL": home, "QUINTET_CELLS": cells}, serves=False)
    schema.migrate(home)
    with pytest.raises(StartError, match="not of this version"):
        open_database(settings, migrate=False)
    assert migrated(settings).endswith("and so are 2 cells.")
    assert [schema.revision_of(url) for url in (home, near, far)] == [schema.REVISION] * 3

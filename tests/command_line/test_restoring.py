"""The backup guide of docs/postgres.md, followed with PostgreSQL's own tools: what is there after a restore, and what a cursor is worth."""

import secrets
import subprocess
from pathlib import Path

import pytest

from quintet.log import Log, Position
from quintet.log.reading import resolve_in
from quintet.store import open_store
from quintet.testing.services.postgres import account, binaries
from quintet.testing.services.postgres.databases import Databases
from quintet.testing.services.postgres.server import PostgresServer
from support.kernel import Kernel, within
from support.postgres import PostgresDatabase, own_server, server

pytestmark = [pytest.mark.l2, pytest.mark.hang_guard(90)]


def tool(name: str, *words: str) -> None:
    """A program of PostgreSQL's, of the same version; it must end with 0."""
    program = binaries.find(account.ours()).folder / name
    done = subprocess.run([str(program), *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def restored(on: PostgresServer, dump: Path) -> str:
    """A new database with what was dumped."""
    assert isinstance(on.databases, Databases)
    url = on.databases.create(f"restored{secrets.token_hex(4)}").url
    tool("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={url}", str(dump))
    return url


async def opened(url: str) -> Kernel:
    """A started store with its log."""
    store = open_store(url)
    await within(store.start())
    log = Log(store)
    await log.start()
    return Kernel(store, log)


async def closed(kernel: Kernel) -> None:
    """End both."""
    await kernel.log.close()
    await within(kernel.store.close())


async def asked(kernel: Kernel, user: str, cursor: str) -> str:
    """What a cursor is worth there."""
    told = await within(kernel.store.read(lambda tx: resolve_in(tx, user, cursor)))
    return "goes on" if isinstance(told, Position) else told.reason


async def test_a_dump_made_beside_a_server_is_gone_on_from(tmp_path: Path) -> None:
    """Everything committed before it began is in it. Restored into the same server, a cursor inside goes on and one beyond gets `future`,
    or `epoch` once other events have its place; restored into another server, every cursor gets `epoch`."""
    database = PostgresDatabase()
    kernel = await opened(database.url)
    try:
        user = await kernel.user()
        await kernel.send(user, "before")
        inside = (await kernel.story(user))[-1].cursor
        rows = [row.frame for row in await kernel.rows(user)]
        tool("pg_dump", "--format=custom", f"--file={tmp_path / 'dump'}", f"--dbname={database.url}")
        await kernel.send(user, "after")
        beyond = (await kernel.story(user))[-1].cursor
    finally:
        await closed(kernel)

    same = await opened(restored(server(), tmp_path / "dump"))
    try:
        assert [row.frame for row in await same.rows(user)] == rows
        assert [await asked(same, user, cursor) for cursor in (inside, beyond)] == ["goes on", "future"]
        await same.send(user, "another in its place")
        assert [await asked(same, user, cursor) for cursor in (inside, beyond)] == ["goes on", "epoch"]
    finally:
        await closed(same)

    other = own_server(flags=["--text-search-config=simple"])  # another system, by PostgreSQL's own identifier
    try:
        elsewhere = await opened(restored(other, tmp_path / "dump"))
        try:
            assert len(await elsewhere.rows(user)) == len(rows)
            assert [await asked(elsewhere, user, cursor) for cursor in (inside, beyond)] == ["epoch", "epoch"]
        finally:
            await closed(elsewhere)
    finally:
        other.end()

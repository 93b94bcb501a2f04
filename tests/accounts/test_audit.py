"""The audit is only added to: by what the product does, and by the database itself, whoever asks it."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from accounts.house import CONFIG, PASSWORD, Clock, House, bearer, expect, opened
from quintet.accounts import audit
from quintet.store.nodes import now_in
from support.databases import DATABASES, Database

pytestmark = pytest.mark.l2

DAY_MS = 24 * 60 * 60 * 1000
USER = "INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at) VALUES ('usr_1', 'a', 'a', ?, '', ?, 1)"
ROW = "INSERT INTO audit (at, action, subject_id, address, detail) VALUES (?, 'signed_in', ?, '10.0.0.1', '{}')"


@pytest.fixture(params=DATABASES)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database of each kind."""
    return DATABASES[request.param](tmp_path)


@pytest.fixture
async def house(base: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[House]:
    """Accounts on it, in the present."""
    clock.seconds = time.time()
    monkeypatch.setattr("accounts.house.database_at", lambda path: base.url)
    async with opened(tmp_path / "unused", clock, CONFIG) as made:
        yield made


SLIPS = {
    "another action": "UPDATE audit SET action = 'enabled'",
    "another user": "UPDATE audit SET subject_id = 'somebody'",
    "another time": "UPDATE audit SET at = at - 1",
    "no address": "UPDATE audit SET address = NULL",
    "nothing left": "UPDATE audit SET address = NULL, detail = NULL",
    "one row": "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)",
    "all rows": "DELETE FROM audit",
}
OF_ONE = {
    "sqlite": "INSERT OR REPLACE INTO audit (id, at, action) SELECT max(id), 1, 'enabled' FROM audit",
    "postgres": "TRUNCATE audit",
}


@pytest.mark.parametrize("slip", [*SLIPS, "a word of this database alone"])
def test_the_database_refuses_to_change_what_happened(base: Database, slip: str) -> None:
    """No row is changed, taken away or replaced, by whatever statement: of a living user, of one who is gone, of nobody."""
    now = int(time.time() * 1000)
    base.change(USER, (False, "user"))
    for number, subject in enumerate(("usr_1", "usr_gone", None)):
        base.change(ROW, (now - number * 399 * DAY_MS // 2, subject))
    before = base.rows("SELECT * FROM audit ORDER BY id")
    with pytest.raises(Exception, match="only added to"):
        base.change(SLIPS.get(slip) or OF_ONE["sqlite" if base.url.startswith("sqlite") else "postgres"])
    assert base.rows("SELECT * FROM audit ORDER BY id") == before


@pytest.mark.parametrize("change", ["address = 'elsewhere'", "detail = NULL, address = NULL, actor_id = NULL, at = 1"])
def test_of_an_account_that_is_being_deleted_the_rest_stays(base: Database, change: str) -> None:
    """Also while addresses and details are taken away nothing else can be, and nothing comes in their place."""
    base.change(USER, (False, "deleted"))
    base.change(ROW, (int(time.time() * 1000), "usr_1"))
    with pytest.raises(Exception, match="only added to"):
        base.change(f"UPDATE audit SET {change}")
    base.change("UPDATE audit SET address = NULL, detail = NULL")
    base.change("DELETE FROM users")
    with pytest.raises(Exception, match="only added to"):
        base.change("UPDATE audit SET address = NULL, detail = NULL")
    ((action, address),) = base.rows("SELECT action, address FROM audit")
    assert (action, address) == ("signed_in", None)


async def test_a_deletion_takes_addresses_and_details_and_nothing_else(house: House) -> None:
    """Through the same door on both databases: ids, actions and times of the deleted stay, of others everything."""
    ada, bob = await house.register(), await house.register()
    before = await house.rows("SELECT id, at, action, subject_id, actor_id FROM audit ORDER BY id")
    expect(
        await house.http.request(
            "DELETE",
            "/v1/auth/me",
            json={"password": PASSWORD},
            headers=bearer(ada["access_token"]),
        ),
        204,
    )
    after = await house.rows("SELECT id, at, action, subject_id, actor_id, address FROM audit ORDER BY id")
    assert [row[:5] for row in after][: len(before)] == before
    told = {user: {row[5] for row in after if row[3] == user} for user in (ada["user"]["id"], bob["user"]["id"])}
    assert told == {ada["user"]["id"]: {None}, bob["user"]["id"]: {"127.0.0.1"}}


async def test_only_what_is_old_by_both_clocks_goes(house: House, clock: Clock) -> None:
    """Rows of 400 days go, two with each new one; a server whose clock is years ahead takes away nothing that is young, and works."""
    old, here = 401 * DAY_MS, int(time.time() * 1000)
    for number in range(3):
        await house.change(ROW, here - old + number, "usr_gone")
    await house.store.write("", lambda tx: audit.record(tx, "invited", clock.now_ms()))
    assert [row[0] for row in await house.rows("SELECT at FROM audit WHERE at < ?", here - old + 5)] == [here - old + 2]
    assert abs(await house.store.read(now_in) - here) < 60_000
    clock.forward(days=2000)
    for _ in range(3):
        await house.store.write("", lambda tx: audit.record(tx, "invited", clock.now_ms()))
    assert len(await house.rows("SELECT id FROM audit")) == 4

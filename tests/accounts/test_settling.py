"""A user's place in a cell, and a deletion in the moment in which it is made."""

from pathlib import Path

import pytest

from accounts.house import CONFIG, SECRET
from quintet.accounts import Accounts
from quintet.accounts.people import users
from quintet.accounts.people.emails import address
from quintet.accounts.people.users import new_user
from quintet.accounts.settling import Settling
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import SHARDS, CellStore, Tx, open_store

pytestmark = pytest.mark.l2


def _holds_all(tx: Tx) -> None:
    tx.sql("INSERT INTO cell (id, home, changes) VALUES ('cell', 'home', 0)")
    tx.many("INSERT INTO shards (shard, cell) VALUES (?, 'cell')", [(shard,) for shard in range(SHARDS)])


async def test_whoever_is_deleted_while_they_get_a_place_has_none(tmp_path: Path) -> None:
    """Recognised, then deleted to the end, then housed: the cell has nothing of them, and they hear that they are out. Who stays has a place."""
    cell = f"sqlite:///{tmp_path / 'cell.db'}"
    store = CellStore(
        open_store(f"sqlite:///{tmp_path / 'home.db'}", migrate=True),
        {"cell": lambda: open_store(cell, migrate=True)},
        ["cell"] * SHARDS,
        checks=False,
    )
    await store.start()
    await store.of("usr_0").write("", _holds_all)
    accounts = Accounts(store, Sources(), SECRET, CONFIG)
    try:
        for number, stays in enumerate((True, False)):
            user = new_user(f"usr_{number}", address(f"a{number}@example.com"), None, "$", 1)
            await store.write(user.id, lambda tx, user=user: users.add(tx, user, user.email, "e"))  # type: ignore[misc]

            async def recognised(token: str, stays: bool = stays) -> Identity:
                if not stays:
                    await accounts.erasing.erase(token)
                return Identity(token, "ses_1", 0)

            settling = Settling(store, Sources(), recognised)
            if stays:
                assert (await settling.authenticate(user.id)).user_id == user.id
            else:
                with pytest.raises(QuintetError, match="session_revoked"):
                    await settling.authenticate(user.id)
        found = await store.of("usr_1").read(lambda tx: tx.sql("SELECT id FROM users").fetchall())
        assert [row[0] for row in found] == ["usr_0"]
        assert len(await store.of("usr_1").read(lambda tx: tx.sql("SELECT * FROM heads").fetchall())) == 1
    finally:
        accounts._pool.close()
        await store.close()

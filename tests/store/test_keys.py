"""Writes of one key from two processes on one database, where no user's head row stands for the key."""

import threading

import pytest

from quintet.store import Tx
from store.test_postgres import opened
from support.kernel import WAIT
from support.postgres import PostgresDatabase

pytestmark = pytest.mark.l2


async def test_writes_of_a_key_that_is_no_users_wait_for_each_other() -> None:
    """A key that has no head row is locked all the same: the second process's function begins when the first one's has ended."""
    database = PostgresDatabase()
    entered, release = threading.Event(), threading.Event()
    order: list[str] = []

    def first(_tx: Tx) -> None:
        entered.set()
        assert release.wait(WAIT)
        order.append("first ends")

    async with opened(database) as here, opened(database) as there:
        holding = here.store.submit("nobody's key", first)
        assert entered.wait(WAIT)
        waiting = there.store.submit("nobody's key", lambda tx: order.append("second begins"))
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        release.set()
        holding.result(WAIT)
        waiting.result(WAIT)
    assert order == ["first ends", "second begins"]

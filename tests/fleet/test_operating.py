"""What an operator meets at three in the morning: a pooler that lends, a role that may not, a password that was changed, no connection left. Each
is said in a sentence, nothing is lost, and what is repaired is found again without a restart."""

import asyncio

import pytest

from fleet.pooler import Pooler
from quintet.server.opening import unreachable
from quintet.store import LentError, UnreachableError, open_store
from support.kernel import within
from support.postgres import PostgresDatabase


@pytest.mark.l2
async def test_a_pooler_that_lends_for_a_transaction_is_refused() -> None:
    """Settings would be somebody else's and notices would reach nobody, silently: the start says so, with the code of bad settings."""
    with await asyncio.to_thread(lambda: Pooler(PostgresDatabase().url)) as pooler:
        with pytest.raises(LentError) as refused:
            await within(open_store(pooler.url).start())
        told = unreachable(refused.value)
    assert (told.exit_code, "session mode" in str(told)) == (78, True)


@pytest.mark.l2
async def test_a_role_that_may_not_write_is_named_at_the_start() -> None:
    """What PostgreSQL says about it is what the operator reads."""
    database = PostgresDatabase()
    await within(_started(database.url))  # whose database it is has been written down
    database.change("CREATE ROLE reads LOGIN PASSWORD 'reads'")
    database.change("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reads")
    with pytest.raises(UnreachableError, match="permission denied for table commit_marks"):
        await within(_started(database.url.replace(database.url.split("@")[0], "postgresql://reads:reads")))


async def _started(url: str) -> None:
    store = open_store(url)
    await store.start()
    await store.close()

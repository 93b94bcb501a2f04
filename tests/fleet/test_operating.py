"""What an operator meets at three in the morning: a pooler that lends, a role that may not, a password that was changed, no connection left. Each
is said in a sentence, nothing is lost, and what is repaired is found again without a restart."""

import asyncio
import logging
import secrets
from functools import partial

import psycopg
import pytest
from sqlalchemy import make_url

from fleet.pooler import Pooler
from quintet.errors import QuintetError
from quintet.log import Log
from quintet.server.opening import unreachable
from quintet.store import EncodingError, LentError, UnreachableError, open_store, schema
from support.kernel import Kernel, eventually, patiently, within
from support.postgres import PostgresDatabase, server


@pytest.mark.l2
async def test_a_pooler_that_lends_for_a_transaction_is_refused() -> None:
    """Settings would be somebody else's and notices would reach nobody, silently: the start says so, with the code of bad settings."""
    with await asyncio.to_thread(lambda: Pooler(PostgresDatabase().url)) as pooler:
        with pytest.raises(LentError) as refused:
            await within(open_store(pooler.url).start())
        told = unreachable(refused.value)
    assert (told.exit_code, "session mode" in str(told)) == (78, True)


@pytest.mark.l2
async def test_a_database_of_another_encoding_is_refused() -> None:
    """It could not keep what people write; said at the first look, with the way out and the code of bad settings."""
    name = f"latin{secrets.token_hex(4)}"
    with psycopg.connect(server().url, autocommit=True) as raw:
        raw.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'".encode())
    url = make_url(server().url).set(database=name).render_as_string(hide_password=False)
    for look in (partial(schema.migrate, url), partial(schema.check, url)):
        with pytest.raises(EncodingError) as refused:
            look()
        told = unreachable(refused.value)
        assert told.exit_code == 78
        assert all(word in str(told) for word in ("SQL_ASCII", "UTF8"))


@pytest.mark.l2
async def test_a_role_that_may_not_write_is_named_at_the_start() -> None:
    """What PostgreSQL says about it is what the operator reads."""
    database = PostgresDatabase()
    await within(_started(database.url))  # whose database it is has been written down
    database.change("CREATE ROLE reads LOGIN PASSWORD 'reads'")
    database.change("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reads")
    with pytest.raises(UnreachableError, match="permission denied for table commit_marks"):
        await within(_started(database.url.replace(database.url.split("@")[0], "postgresql://reads:reads")))


@pytest.mark.l2
@pytest.mark.parametrize(
    ("harm", "repair", "says"),
    [
        ("ALTER ROLE {app} PASSWORD 'another'", "ALTER ROLE {app} PASSWORD 'app'", "password authentication failed"),
        ("ALTER ROLE {app} CONNECTION LIMIT 0", "ALTER ROLE {app} CONNECTION LIMIT -1", "too many connections"),
        ("ALTER ROLE {app} NOLOGIN", "ALTER ROLE {app} LOGIN", "not permitted to log in"),
        (
            "ALTER ROLE {app} SET default_transaction_read_only = on",
            "ALTER ROLE {app} RESET default_transaction_read_only",
            "read-only transaction",
        ),
    ],
    ids=["password", "connections", "login", "read-only"],
)
async def test_what_an_operator_breaks_is_named_and_is_found_again(
    harm: str, repair: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """While it lasts nothing is stored and everything is refused as `unavailable`, with PostgreSQL's reason in the log; afterwards all goes on,
    without a restart."""
    database = PostgresDatabase()
    app = f"app_of_{database.url.rpartition('/')[2]}"
    database.change(f"CREATE ROLE {app} LOGIN PASSWORD 'app'")
    database.change(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {app}")
    store = open_store(database.url.replace(database.url.split("@")[0], f"postgresql://{app}:app"))
    await within(store.start())
    log = Log(store, poll_seconds=30)
    await log.start()
    kernel = Kernel(store, log)
    run = await kernel.running(await kernel.user())
    ending = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{app}'"
    database.change(harm.format(app=app))
    database.rows(ending)
    with caplog.at_level(logging.INFO):
        for number in range(20):
            with pytest.raises(QuintetError) as refused:
                await within(kernel.append(run, kernel.thought(run, f"while it lasts {number}")))
            assert refused.value.code == "unavailable"
    assert says in caplog.text
    assert caplog.text.count("a transaction was lost") <= 2, "a line for each would fill the disk of the log"
    database.change(repair.format(app=app))
    database.rows(ending)
    await patiently(lambda: kernel.append(run, kernel.thought(run, "afterwards")))
    await eventually(lambda: store.in_touch)
    thoughts = [event.data["text"] for event in await kernel.story(run.user_id) if event.type == "agent_thinking"]
    assert thoughts == ["afterwards"]
    await log.close()
    await within(store.close())


async def _started(url: str) -> None:
    store = open_store(url)
    await store.start()
    await store.close()

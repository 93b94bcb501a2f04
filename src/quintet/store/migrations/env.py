"""How Alembic meets the database. Only online: there is always a database to look at.

All of an upgrade is one transaction, so a kill in the middle leaves nothing. On SQLite it is begun by hand: the driver would commit each
CREATE by itself. On PostgreSQL nodes that start together wait for the first one, and the migrations' type names are translated.
"""

from pathlib import Path
from typing import Any

from alembic import context
from sqlalchemy import URL, Engine, create_engine, event, pool

from quintet.store.schema import is_postgres
from quintet.store.tables import metadata

url: str = context.config.attributes["url"]
_POSTGRES = (("id INTEGER NOT NULL,", "id BIGSERIAL NOT NULL,"), (" BLOB", " BYTEA"))
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(20837, 0)"


def sqlite() -> Engine:
    """A file, with transactions begun by hand."""
    path = str(Path(url.removeprefix("sqlite:///")))
    return create_engine(
        URL.create("sqlite", database=path), poolclass=pool.NullPool, connect_args={"isolation_level": None}
    )


def postgres() -> Engine:
    """A database whose words for types are its own."""
    import psycopg  # comes with an extra

    engine = create_engine(  # the driver reads the address: one that names standbys as well is no URL to others
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, connect_timeout=5),
        poolclass=pool.NullPool,
        use_native_hstore=False,
    )

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def translate(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
        if statement.lstrip().startswith("CREATE TABLE"):
            for ours, theirs in _POSTGRES:
                statement = statement.replace(ours, theirs)
        return statement, parameters

    return engine


with (postgres() if is_postgres(url) else sqlite()).connect() as connection:
    connection.exec_driver_sql(_ONE_AT_A_TIME if is_postgres(url) else "BEGIN IMMEDIATE")
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()

"""How Alembic meets the database. Only online: there is always a database to look at.

All of an upgrade is one transaction, begun by hand: the driver would commit each CREATE by itself, and a kill in the middle
would leave tables that the next start can neither use nor make.
"""

from alembic import context
from sqlalchemy import URL, create_engine, pool

from quintet.store.tables import metadata

engine = create_engine(
    URL.create("sqlite", database=str(context.config.attributes["path"])),
    poolclass=pool.NullPool,
    connect_args={"isolation_level": None},
)
with engine.connect() as connection:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()

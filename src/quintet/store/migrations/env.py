"""How Alembic meets the database. Only online: there is always a database to look at."""

from alembic import context
from sqlalchemy import create_engine, pool

from quintet.store.tables import metadata

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()

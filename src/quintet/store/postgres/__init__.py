"""PostgreSQL as the store, for more than one process. Needs the extra `postgres`; imported only when a database's URL asks for it."""

from quintet.store.postgres.store import PostgresStore

__all__ = ["PostgresStore"]

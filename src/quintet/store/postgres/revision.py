"""Which revision a PostgreSQL database has."""

from quintet.store.postgres.dialing import Dialing

__all__ = ["revision_at"]


def revision_at(url: str) -> str | None:
    """The revision; None when nothing has been migrated. Raises `UnreachableError`."""
    with Dialing(url, adopts=False).plain() as raw:
        known = raw.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
        row = raw.execute("SELECT version_num FROM alembic_version").fetchone() if known and known[0] else None
    return str(row[0]) if row else None

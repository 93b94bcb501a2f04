"""The log."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    text,
)

from quintet.store.tables.base import metadata

__all__ = ["events", "gone_digests", "heads"]

heads = Table(  # one row a user: the lock under which numbers are given
    "heads",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", String(16), nullable=False),
    Column("seq", BigInteger, nullable=False, server_default=text("0")),
    Column("digest", String(8), nullable=False, server_default=text("'0'")),  # of the event at seq
    Column("kept_after", BigInteger, nullable=False, server_default=text("0")),  # events up to here are gone
    Column("auth_rev", BigInteger, nullable=False, server_default=text("0")),  # raised by every revocation
)

events = Table(  # a rowid table: appends go to the end, the index alone is sorted
    "events",
    metadata,
    Column("user_id", String(40), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("first_seq", BigInteger),
    Column("run_id", String(40)),
    Column("run_seq", Integer),
    Column("type", String(32), nullable=False),
    Column("digest", String(8), nullable=False),  # the first 32 bits of the event's random id
    Column("final", Integer, nullable=False),  # 0 or 1
    Column("body", LargeBinary, nullable=False),  # encoded once, without the numbers
)
Index("uq_events_user_id_seq", events.c.user_id, events.c.seq, unique=True)
Index(
    "uq_events_one_ending",
    events.c.user_id,
    events.c.run_id,
    unique=True,
    sqlite_where=events.c.final == 1,
    postgresql_where=events.c.final == 1,
)

_of_no_run = events.c.run_id.is_(None)
Index("ix_events_of_no_run", events.c.user_id, events.c.seq, sqlite_where=_of_no_run, postgresql_where=_of_no_run)

gone_digests = Table(  # what cursors inside a range event are compared with
    "gone_digests",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("seq", BigInteger, nullable=False),  # of the range event
    Column("digests", LargeBinary, nullable=False),  # of the events it stands for, in order, 4 bytes each
    PrimaryKeyConstraint("user_id", "seq"),
)

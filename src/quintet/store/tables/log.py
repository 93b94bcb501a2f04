"""The log. On PostgreSQL events are in partitions, a table for each segment, so that what is too old goes with its table."""

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    event,
    text,
)

from quintet.store.tables.base import LOCAL, metadata

__all__ = ["events", "gone_digests", "heads", "segments"]

heads = Table(  # one row a user: the lock under which numbers are given
    "heads",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", String(16), nullable=False),
    Column("seq", BigInteger, nullable=False, server_default=text("0")),
    Column("digest", String(8), nullable=False, server_default=text("'0'")),  # of the event at seq
    Column("kept_after", BigInteger, nullable=False, server_default=text("0")),  # events up to here are gone
    Column("auth_rev", BigInteger, nullable=False, server_default=text("0")),  # raised by every revocation
    Column("segment", Integer, nullable=False, server_default=text("0"), info=LOCAL),  # that new events go to
    Column("segment_after", BigInteger, nullable=False, server_default=text("0"), info=LOCAL),  # what is newer is there
    CheckConstraint(
        "segment_after <= seq", name="ck_heads_no_number_twice"
    ),  # the unique key of events is of each segment
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
    Column("segment", Integer, nullable=False, server_default=text("0"), info=LOCAL),  # 0: goes row by row
    postgresql_partition_by="LIST (segment)",
)
_FIRST = "CREATE TABLE events_0 PARTITION OF events FOR VALUES IN (0)"
event.listen(events, "after_create", DDL(_FIRST).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]
_number, _ending, _final = (events.c.user_id, events.c.seq), (events.c.user_id, events.c.run_id), events.c.final == 1
Index("uq_events_user_id_seq", *_number, unique=True).ddl_if(dialect="sqlite")
Index("uq_events_one_ending", *_ending, unique=True, sqlite_where=_final).ddl_if(dialect="sqlite")
# There a unique key has to contain what the table is partitioned by.
Index("uq_events_segment_user_id_seq", *_number, events.c.segment, unique=True).ddl_if(dialect="postgresql")
Index("uq_events_segment_one_ending", *_ending, events.c.segment, unique=True, postgresql_where=_final).ddl_if(
    dialect="postgresql"
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

segments = Table(  # the partitions that have a beginning; on PostgreSQL only
    "segments",
    metadata,
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("began_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("number"),
    info=LOCAL,
)

"""What works on it: runs and the agents that living workers have."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from quintet.store.tables.base import LOCAL, metadata

__all__ = ["agents", "runs"]

runs = Table(
    "runs",
    metadata,
    Column("user_id", String(40), nullable=False),
    Column("id", String(40), nullable=False),
    Column("thread_id", String(40), nullable=False),
    Column("message_id", String(40), nullable=False),
    Column("agent", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("ready", Integer, nullable=False),  # 1: may be leased: first of its thread, within the user's share
    Column("attempt", Integer, nullable=False, server_default=text("0")),  # the fence
    Column("worker_id", String(40)),
    Column("run_seq", Integer, nullable=False, server_default=text("0")),
    Column("first_seq", BigInteger, nullable=False),  # of its message_accepted
    Column("cancelled", String(12)),  # the reason, from the commit of the cancel
    Column("trace_id", String(32), nullable=False),
    Column("error", Text),  # JSON, as in the ending
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    PrimaryKeyConstraint("user_id", "id"),
    ForeignKeyConstraint(["user_id", "thread_id"], ["threads.user_id", "threads.id"], ondelete="CASCADE"),
)
_open = runs.c.state.in_(("queued", "running"))
Index("ix_runs_open", runs.c.user_id, runs.c.first_seq, sqlite_where=_open, postgresql_where=_open)
_ready = runs.c.ready == 1
Index("ix_runs_ready", runs.c.created_at, sqlite_where=_ready, postgresql_where=_ready)

agents = Table(  # what the living workers can run; submit checks against it
    "agents",
    metadata,
    Column("worker_id", String(40), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("attachments", Text, nullable=False, server_default=text("'[]'")),  # the media types it takes, a JSON list
    PrimaryKeyConstraint("worker_id", "name"),
    info=LOCAL,
)

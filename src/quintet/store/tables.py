"""The tables. Keys of owned tables begin with the user and foreign keys are composite, so no query can cross users by accident.

Times are integers, milliseconds since 1970. What is absent is NULL here and absent on the wire.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "agents",
    "attachments",
    "deleted_sends",
    "deletions",
    "events",
    "gone_digests",
    "heads",
    "message_attachments",
    "messages",
    "metadata",
    "refresh_tokens",
    "runs",
    "sessions",
    "signing_keys",
    "threads",
    "users",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- who speaks -------------------------------------------------------------------------------------------------------

users = Table(
    "users",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),  # case-folded; the look-up key
    Column("email_verified", Boolean, nullable=False, default=False),
    Column("name", Text),
    Column("password_hash", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

sessions = Table(
    "sessions",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("id", String(40), nullable=False),
    Column("device", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),  # the absolute end of the refresh family
    Column("ended_at", BigInteger),
    Column("ended_because", String(32)),
    PrimaryKeyConstraint("user_id", "id"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("user_id", String(40), nullable=False),
    Column("session_id", String(40), nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the token; the token itself is nowhere
    Column("generation", Integer, nullable=False),  # its place in the session's line of tokens, from 1
    Column("created_at", BigInteger, nullable=False),
    Column("idle_until", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("attempt_digest", LargeBinary),  # SHA-256 of the attempt id that used it
    PrimaryKeyConstraint("user_id", "digest"),
    ForeignKeyConstraint(["user_id", "session_id"], ["sessions.user_id", "sessions.id"], ondelete="CASCADE"),
)
Index("uq_refresh_tokens_digest", refresh_tokens.c.digest, unique=True)  # a token does not say whose it is
Index(
    "ix_refresh_tokens_user_id_session_id_generation",
    refresh_tokens.c.user_id,
    refresh_tokens.c.session_id,
    refresh_tokens.c.generation,
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("public_jwk", Text, nullable=False),
    Column("sealed_private", LargeBinary, nullable=False),  # encrypted under the secret
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# --- the log ----------------------------------------------------------------------------------------------------------

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

# --- what is said -----------------------------------------------------------------------------------------------------

threads = Table(
    "threads",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("id", String(40), nullable=False),
    Column("title", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False),  # the user's threads in the order they were opened
    PrimaryKeyConstraint("user_id", "id"),
)
Index("ix_threads_user_id_place", threads.c.user_id, threads.c.place)

messages = Table(
    "messages",
    metadata,
    Column("user_id", String(40), nullable=False),
    Column("id", String(40), nullable=False),
    Column("thread_id", String(40), nullable=False),
    Column("run_id", String(40), nullable=False),
    Column("role", String(8), nullable=False),
    Column("agent", Text),
    Column("text", Text, nullable=False),
    Column("client_id", Text),
    Column("fingerprint", LargeBinary),  # of everything sent with the client_id, to tell a repeat from a conflict
    Column("created_at", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False),  # the user's seq when it was written
    PrimaryKeyConstraint("user_id", "id"),
    UniqueConstraint("user_id", "client_id"),
    ForeignKeyConstraint(["user_id", "thread_id"], ["threads.user_id", "threads.id"], ondelete="CASCADE"),
)
Index("ix_messages_user_id_thread_id_place", messages.c.user_id, messages.c.thread_id, messages.c.place)

attachments = Table(
    "attachments",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("id", String(40), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("sent", Integer, nullable=False),  # 1: some message has it; 0: it goes after a day
    Column("content", LargeBinary, nullable=False),  # last, so that the rest is read without it
    PrimaryKeyConstraint("user_id", "id"),
)
_unsent = attachments.c.sent == 0
Index("ix_attachments_unsent", attachments.c.created_at, sqlite_where=_unsent, postgresql_where=_unsent)

message_attachments = Table(  # a message sent again after a failure has the same files as the first
    "message_attachments",
    metadata,
    Column("user_id", String(40), nullable=False),
    Column("message_id", String(40), nullable=False),
    Column("place", Integer, nullable=False),
    Column("attachment_id", String(40), nullable=False),
    PrimaryKeyConstraint("user_id", "message_id", "place"),
    ForeignKeyConstraint(["user_id", "message_id"], ["messages.user_id", "messages.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["user_id", "attachment_id"], ["attachments.user_id", "attachments.id"], ondelete="CASCADE"),
)
Index(
    "ix_message_attachments_user_id_attachment_id",
    message_attachments.c.user_id,
    message_attachments.c.attachment_id,
)

deleted_sends = Table(  # a message whose thread was deleted is not accepted again when its sender repeats it
    "deleted_sends",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("digest", LargeBinary, nullable=False),  # of the client_id
    PrimaryKeyConstraint("user_id", "digest"),
)

deletions = Table(  # threads that nobody can read any more, while what is in them goes portion by portion
    "deletions",
    metadata,
    Column("user_id", String(40), nullable=False),
    Column("thread_id", String(40), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "thread_id"),
    ForeignKeyConstraint(["user_id", "thread_id"], ["threads.user_id", "threads.id"], ondelete="CASCADE"),
)

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
)

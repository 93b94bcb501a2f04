"""What is said: threads, messages and their files."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from quintet.store.tables.base import metadata

__all__ = ["attachments", "deleted_sends", "deletions", "message_attachments", "messages", "threads"]

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

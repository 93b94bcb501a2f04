"""Who speaks: users, their sessions, and the keys that sign."""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
)

from quintet.store.tables.base import metadata

__all__ = ["refresh_tokens", "sessions", "signing_keys", "users"]

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
    Column("changed_at", BigInteger, nullable=False),  # when it came to its state
)

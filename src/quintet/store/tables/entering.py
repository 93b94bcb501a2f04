"""How an account is entered besides its password, and what was done with it."""

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
    Text,
    text,
)

from quintet.store.tables.append_only import keep
from quintet.store.tables.base import metadata

__all__ = [
    "api_keys",
    "audit",
    "challenges",
    "devices",
    "external_identities",
    "invites",
    "mail_tokens",
    "passkeys",
    "recovery_codes",
    "service_clients",
    "totps",
]

mail_tokens = Table(  # one a purpose: the newest cancels the older
    "mail_tokens",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("purpose", String(16), nullable=False),  # verify, reset, address
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the token; the token itself is only in the letter
    Column("email", Text, nullable=False),  # the address it was sent to; for a change, the new one
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "purpose"),
)
Index("uq_mail_tokens_digest", mail_tokens.c.digest, unique=True)  # a token does not say whose it is

devices = Table(  # what a user has signed in from, so that a letter tells of a new one
    "devices",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "digest"),
)

external_identities = Table(  # who a user is at another provider; linked by the user, never by an address alone
    "external_identities",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("email", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id", "issuer", "subject"),
)
Index("uq_external_identities_subject", external_identities.c.issuer, external_identities.c.subject, unique=True)

api_keys = Table(
    "api_keys",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("id", String(40), nullable=False),
    Column("name", Text, nullable=False),
    Column("hint", String(16), nullable=False),  # its first characters, to tell keys apart
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the key; the key itself is nowhere
    Column("scopes", Text, nullable=False),  # separated by blanks
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("used_at", BigInteger),
    Column("revoked_at", BigInteger),
    PrimaryKeyConstraint("user_id", "id"),
)
Index("uq_api_keys_digest", api_keys.c.digest, unique=True)

totps = Table(
    "totps",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("sealed_secret", LargeBinary, nullable=False),  # encrypted under the server's secret
    Column("created_at", BigInteger, nullable=False),
    Column("confirmed_at", BigInteger),  # not asked for before
    Column("last_step", BigInteger, nullable=False, server_default=text("0")),  # a code is good once (RFC 6238, 5.2)
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("used_at", BigInteger),
    PrimaryKeyConstraint("user_id", "digest"),
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("id", String(40), nullable=False),
    Column("credential", LargeBinary, nullable=False),  # the id that the authenticator gave
    Column("public_key", LargeBinary, nullable=False),  # COSE
    Column("sign_count", BigInteger, nullable=False),
    Column("transports", Text, nullable=False),  # separated by blanks
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    PrimaryKeyConstraint("user_id", "id"),
)
Index("uq_passkeys_credential", passkeys.c.credential, unique=True)

challenges = Table(  # a step of a sign-in that is under way: of a second factor, a passkey, another provider
    "challenges",
    metadata,
    Column("digest", LargeBinary, nullable=False, primary_key=True),  # SHA-256 of what the client holds
    Column("kind", String(16), nullable=False),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE")),  # where it is known
    Column("data", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
Index("ix_challenges_expires_at", challenges.c.expires_at)

invites = Table(
    "invites",
    metadata,
    Column("digest", LargeBinary, nullable=False, primary_key=True),  # SHA-256 of the invitation
    Column("email_key", Text),  # whom it is for; nobody in particular if absent
    Column("role", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

service_clients = Table(  # programs that speak for themselves, not for a user
    "service_clients",
    metadata,
    Column("id", String(40), nullable=False, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the secret
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("used_at", BigInteger),
)

audit = Table(  # appended to, never changed, but for what is erased of an account that was deleted
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject_id", String(40)),  # whom it happened to
    Column("actor_id", String(40)),  # who did it, where that is somebody else
    Column("address", Text),  # where the request came from
    Column("detail", Text),  # JSON, no secrets
)
Index("ix_audit_subject_id_id", audit.c.subject_id, audit.c.id)
keep(audit)

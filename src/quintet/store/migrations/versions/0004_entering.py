"""How accounts are entered besides a password, and keys that change over."""

from alembic import op

revision = "0004"
down_revision = "0003"

_STATEMENTS = (
    "CREATE TABLE signing_keys_before AS SELECT * FROM signing_keys",
    "DROP TABLE signing_keys",
    """
    CREATE TABLE signing_keys (
        kid VARCHAR(64) NOT NULL,
        public_jwk TEXT NOT NULL,
        sealed_private BLOB NOT NULL,
        state VARCHAR(16) NOT NULL,
        created_at BIGINT NOT NULL,
        changed_at BIGINT NOT NULL,
        CONSTRAINT pk_signing_keys PRIMARY KEY (kid)
    )
    """,
    """
    INSERT INTO signing_keys (kid, public_jwk, sealed_private, state, created_at, changed_at)
        SELECT kid, public_jwk, sealed_private, state, created_at, created_at FROM signing_keys_before
    """,
    "DROP TABLE signing_keys_before",
    """
    CREATE TABLE api_keys (
        user_id VARCHAR(40) NOT NULL,
        id VARCHAR(40) NOT NULL,
        name TEXT NOT NULL,
        hint VARCHAR(16) NOT NULL,
        digest BLOB NOT NULL,
        scopes TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT,
        used_at BIGINT,
        revoked_at BIGINT,
        CONSTRAINT pk_api_keys PRIMARY KEY (user_id, id),
        CONSTRAINT fk_api_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "CREATE UNIQUE INDEX uq_api_keys_digest ON api_keys (digest)",
    """
    CREATE TABLE audit (
        id INTEGER NOT NULL,
        at BIGINT NOT NULL,
        action VARCHAR(32) NOT NULL,
        subject_id VARCHAR(40),
        actor_id VARCHAR(40),
        address TEXT,
        detail TEXT,
        CONSTRAINT pk_audit PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_audit_subject_id_id ON audit (subject_id, id)",
    """
    CREATE TABLE challenges (
        digest BLOB NOT NULL,
        kind VARCHAR(16) NOT NULL,
        user_id VARCHAR(40),
        data BLOB NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_challenges PRIMARY KEY (digest),
        CONSTRAINT fk_challenges_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_challenges_expires_at ON challenges (expires_at)",
    """
    CREATE TABLE devices (
        user_id VARCHAR(40) NOT NULL,
        digest BLOB NOT NULL,
        seen_at BIGINT NOT NULL,
        CONSTRAINT pk_devices PRIMARY KEY (user_id, digest),
        CONSTRAINT fk_devices_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE external_identities (
        user_id VARCHAR(40) NOT NULL,
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        email TEXT,
        created_at BIGINT NOT NULL,
        used_at BIGINT NOT NULL,
        CONSTRAINT pk_external_identities PRIMARY KEY (user_id, issuer, subject),
        CONSTRAINT fk_external_identities_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "CREATE UNIQUE INDEX uq_external_identities_subject ON external_identities (issuer, subject)",
    """
    CREATE TABLE invites (
        digest BLOB NOT NULL,
        email_key TEXT,
        role VARCHAR(16) NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        used_at BIGINT,
        CONSTRAINT pk_invites PRIMARY KEY (digest)
    )
    """,
    """
    CREATE TABLE mail_tokens (
        user_id VARCHAR(40) NOT NULL,
        purpose VARCHAR(16) NOT NULL,
        digest BLOB NOT NULL,
        email TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_mail_tokens PRIMARY KEY (user_id, purpose),
        CONSTRAINT fk_mail_tokens_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "CREATE UNIQUE INDEX uq_mail_tokens_digest ON mail_tokens (digest)",
    """
    CREATE TABLE passkeys (
        user_id VARCHAR(40) NOT NULL,
        id VARCHAR(40) NOT NULL,
        credential BLOB NOT NULL,
        public_key BLOB NOT NULL,
        sign_count BIGINT NOT NULL,
        transports TEXT NOT NULL,
        name TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        used_at BIGINT,
        CONSTRAINT pk_passkeys PRIMARY KEY (user_id, id),
        CONSTRAINT fk_passkeys_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "CREATE UNIQUE INDEX uq_passkeys_credential ON passkeys (credential)",
    """
    CREATE TABLE recovery_codes (
        user_id VARCHAR(40) NOT NULL,
        digest BLOB NOT NULL,
        used_at BIGINT,
        CONSTRAINT pk_recovery_codes PRIMARY KEY (user_id, digest),
        CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE service_clients (
        id VARCHAR(40) NOT NULL,
        name TEXT NOT NULL,
        digest BLOB NOT NULL,
        scopes TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        disabled_at BIGINT,
        used_at BIGINT,
        CONSTRAINT pk_service_clients PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE totps (
        user_id VARCHAR(40) NOT NULL,
        sealed_secret BLOB NOT NULL,
        created_at BIGINT NOT NULL,
        confirmed_at BIGINT,
        last_step BIGINT DEFAULT 0 NOT NULL,
        CONSTRAINT pk_totps PRIMARY KEY (user_id),
        CONSTRAINT fk_totps_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
)

# The audit is only added to: but for rows of 400 days, and for what is taken from those of an account that is being deleted.
_KEPT_IN_SQLITE = (
    """
    CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
    WHEN (NEW.id, NEW.at, NEW.action, NEW.subject_id, NEW.actor_id)
        IS NOT (OLD.id, OLD.at, OLD.action, OLD.subject_id, OLD.actor_id)
        OR NEW.address IS NOT NULL OR NEW.detail IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM users WHERE id IN (OLD.subject_id, OLD.actor_id) AND role = 'deleted')
    BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END
    """,
    """
    CREATE TRIGGER audit_kept BEFORE DELETE ON audit
    WHEN OLD.at > (julianday('now') - 2440587.5) * 86400000 - 34560000000
    BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END
    """,
    """
    CREATE TRIGGER audit_not_replaced BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END
    """,
)

_KEPT_IN_POSTGRES = (
    """
    CREATE FUNCTION audit_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE leaving boolean;
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || quote_ident(TG_TABLE_SCHEMA) ||
                '.users WHERE id IN ($1, $2) AND role = ''deleted'')' INTO leaving USING OLD.subject_id, OLD.actor_id;
            IF leaving AND (NEW.id, NEW.at, NEW.action, NEW.subject_id, NEW.actor_id)
                IS NOT DISTINCT FROM (OLD.id, OLD.at, OLD.action, OLD.subject_id, OLD.actor_id)
                AND NEW.address IS NULL AND NEW.detail IS NULL THEN
                RETURN NEW;
            END IF;
        ELSIF TG_OP = 'DELETE' THEN
            IF OLD.at <= extract(epoch FROM clock_timestamp()) * 1000 - 34560000000 THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = 'the audit is only added to';
    END $$
    """,
    "CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_only_added_to()",
    "CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit EXECUTE FUNCTION audit_only_added_to()",
)


def upgrade() -> None:
    """Run them."""
    kept = _KEPT_IN_SQLITE if op.get_bind().dialect.name == "sqlite" else _KEPT_IN_POSTGRES
    for statement in (*_STATEMENTS, *kept):
        op.execute(statement)

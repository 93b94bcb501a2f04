"""The first tables."""

from alembic import op

revision = "0001"
down_revision = None

_STATEMENTS = (
    """
    CREATE TABLE agents (
        worker_id VARCHAR(40) NOT NULL,
        name TEXT NOT NULL,
        description TEXT NOT NULL,
        CONSTRAINT pk_agents PRIMARY KEY (worker_id, name)
    )
    """,
    """
    CREATE TABLE events (
        user_id VARCHAR(40) NOT NULL,
        seq BIGINT NOT NULL,
        first_seq BIGINT,
        run_id VARCHAR(40),
        run_seq INTEGER,
        type VARCHAR(32) NOT NULL,
        digest VARCHAR(8) NOT NULL,
        final INTEGER NOT NULL,
        body BLOB NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX uq_events_one_ending ON events (user_id, run_id) WHERE final = 1",
    "CREATE UNIQUE INDEX uq_events_user_id_seq ON events (user_id, seq)",
    """
    CREATE TABLE signing_keys (
        kid VARCHAR(64) NOT NULL,
        public_jwk TEXT NOT NULL,
        sealed_private BLOB NOT NULL,
        state VARCHAR(16) NOT NULL,
        created_at BIGINT NOT NULL,
        CONSTRAINT pk_signing_keys PRIMARY KEY (kid)
    )
    """,
    """
    CREATE TABLE users (
        id VARCHAR(40) NOT NULL,
        email TEXT NOT NULL,
        email_key TEXT NOT NULL,
        email_verified BOOLEAN NOT NULL,
        name TEXT,
        password_hash TEXT NOT NULL,
        role VARCHAR(16) NOT NULL,
        created_at BIGINT NOT NULL,
        disabled_at BIGINT,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_email_key UNIQUE (email_key)
    )
    """,
    """
    CREATE TABLE heads (
        user_id VARCHAR(40) NOT NULL,
        epoch VARCHAR(16) NOT NULL,
        seq BIGINT DEFAULT 0 NOT NULL,
        digest VARCHAR(8) DEFAULT '0' NOT NULL,
        kept_after BIGINT DEFAULT 0 NOT NULL,
        auth_rev BIGINT DEFAULT 0 NOT NULL,
        CONSTRAINT pk_heads PRIMARY KEY (user_id),
        CONSTRAINT fk_heads_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE sessions (
        user_id VARCHAR(40) NOT NULL,
        id VARCHAR(40) NOT NULL,
        device TEXT,
        created_at BIGINT NOT NULL,
        last_used_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        ended_at BIGINT,
        ended_because VARCHAR(32),
        CONSTRAINT pk_sessions PRIMARY KEY (user_id, id),
        CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE threads (
        user_id VARCHAR(40) NOT NULL,
        id VARCHAR(40) NOT NULL,
        title TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        place BIGINT NOT NULL,
        CONSTRAINT pk_threads PRIMARY KEY (user_id, id),
        CONSTRAINT fk_threads_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_threads_user_id_place ON threads (user_id, place)",
    """
    CREATE TABLE messages (
        user_id VARCHAR(40) NOT NULL,
        id VARCHAR(40) NOT NULL,
        thread_id VARCHAR(40) NOT NULL,
        run_id VARCHAR(40) NOT NULL,
        role VARCHAR(8) NOT NULL,
        agent TEXT,
        text TEXT NOT NULL,
        client_id TEXT,
        fingerprint BLOB,
        created_at BIGINT NOT NULL,
        place BIGINT NOT NULL,
        CONSTRAINT pk_messages PRIMARY KEY (user_id, id),
        CONSTRAINT uq_messages_user_id_client_id UNIQUE (user_id, client_id),
        CONSTRAINT fk_messages_user_id_thread_id FOREIGN KEY(user_id, thread_id) REFERENCES threads (user_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_messages_user_id_thread_id_place ON messages (user_id, thread_id, place)",
    """
    CREATE TABLE refresh_tokens (
        user_id VARCHAR(40) NOT NULL,
        session_id VARCHAR(40) NOT NULL,
        digest BLOB NOT NULL,
        generation INTEGER NOT NULL,
        created_at BIGINT NOT NULL,
        idle_until BIGINT NOT NULL,
        used_at BIGINT,
        attempt_digest BLOB,
        CONSTRAINT pk_refresh_tokens PRIMARY KEY (user_id, digest),
        CONSTRAINT fk_refresh_tokens_user_id_session_id FOREIGN KEY(user_id, session_id) REFERENCES sessions (user_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_refresh_tokens_user_id_session_id_generation ON refresh_tokens (user_id, session_id, generation)",
    "CREATE UNIQUE INDEX uq_refresh_tokens_digest ON refresh_tokens (digest)",
    """
    CREATE TABLE runs (
        user_id VARCHAR(40) NOT NULL,
        id VARCHAR(40) NOT NULL,
        thread_id VARCHAR(40) NOT NULL,
        message_id VARCHAR(40) NOT NULL,
        agent TEXT NOT NULL,
        state VARCHAR(12) NOT NULL,
        ready INTEGER NOT NULL,
        attempt INTEGER DEFAULT 0 NOT NULL,
        worker_id VARCHAR(40),
        run_seq INTEGER DEFAULT 0 NOT NULL,
        first_seq BIGINT NOT NULL,
        cancelled VARCHAR(12),
        trace_id VARCHAR(32) NOT NULL,
        error TEXT,
        created_at BIGINT NOT NULL,
        started_at BIGINT,
        ended_at BIGINT,
        CONSTRAINT pk_runs PRIMARY KEY (user_id, id),
        CONSTRAINT fk_runs_user_id_thread_id FOREIGN KEY(user_id, thread_id) REFERENCES threads (user_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_runs_open ON runs (user_id, first_seq) WHERE state IN ('queued', 'running')",
    "CREATE INDEX ix_runs_ready ON runs (created_at) WHERE ready = 1",
)


def upgrade() -> None:
    """Run them."""
    for statement in _STATEMENTS:
        op.execute(statement)

"""Attachments, and events that stand for deleted ones."""

from alembic import op

revision = "0002"
down_revision = "0001"

# What living workers can run is written anew at every start, so that table is made anew too.
_STATEMENTS = (
    "DROP TABLE agents",
    """
    CREATE TABLE agents (
        worker_id VARCHAR(40) NOT NULL,
        name TEXT NOT NULL,
        description TEXT NOT NULL,
        attachments TEXT DEFAULT '[]' NOT NULL,
        CONSTRAINT pk_agents PRIMARY KEY (worker_id, name)
    )
    """,
    """
    CREATE TABLE attachments (
        user_id VARCHAR(40) NOT NULL,
        id VARCHAR(40) NOT NULL,
        name TEXT NOT NULL,
        media_type TEXT NOT NULL,
        size BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        sent INTEGER NOT NULL,
        content BLOB NOT NULL,
        CONSTRAINT pk_attachments PRIMARY KEY (user_id, id),
        CONSTRAINT fk_attachments_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_attachments_unsent ON attachments (created_at) WHERE sent = 0",
    """
    CREATE TABLE deleted_sends (
        user_id VARCHAR(40) NOT NULL,
        digest BLOB NOT NULL,
        CONSTRAINT pk_deleted_sends PRIMARY KEY (user_id, digest),
        CONSTRAINT fk_deleted_sends_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE gone_digests (
        user_id VARCHAR(40) NOT NULL,
        seq BIGINT NOT NULL,
        digests BLOB NOT NULL,
        CONSTRAINT pk_gone_digests PRIMARY KEY (user_id, seq),
        CONSTRAINT fk_gone_digests_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE message_attachments (
        user_id VARCHAR(40) NOT NULL,
        message_id VARCHAR(40) NOT NULL,
        place INTEGER NOT NULL,
        attachment_id VARCHAR(40) NOT NULL,
        CONSTRAINT pk_message_attachments PRIMARY KEY (user_id, message_id, place),
        CONSTRAINT fk_message_attachments_user_id_message_id FOREIGN KEY(user_id, message_id)
            REFERENCES messages (user_id, id) ON DELETE CASCADE,
        CONSTRAINT fk_message_attachments_user_id_attachment_id FOREIGN KEY(user_id, attachment_id)
            REFERENCES attachments (user_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_message_attachments_user_id_attachment_id ON message_attachments (user_id, attachment_id)",
    "CREATE INDEX ix_events_of_no_run ON events (user_id, seq) WHERE run_id IS NULL",
)


def upgrade() -> None:
    """Run them."""
    for statement in _STATEMENTS:
        op.execute(statement)

"""Deletions that go on over several transactions."""

from alembic import op

revision = "0003"
down_revision = "0002"

_STATEMENTS = (
    """
    CREATE TABLE deletions (
        user_id VARCHAR(40) NOT NULL,
        thread_id VARCHAR(40) NOT NULL,
        began_at BIGINT NOT NULL,
        CONSTRAINT pk_deletions PRIMARY KEY (user_id, thread_id),
        CONSTRAINT fk_deletions_user_id_thread_id FOREIGN KEY(user_id, thread_id)
            REFERENCES threads (user_id, id) ON DELETE CASCADE
    )
    """,
)


def upgrade() -> None:
    """Run them."""
    for statement in _STATEMENTS:
        op.execute(statement)

"""Which processes there are, for whoever runs them."""

from alembic import op

revision = "0006"
down_revision = "0005"

_STATEMENTS = (
    """
    CREATE TABLE nodes (
        id VARCHAR(40) NOT NULL,
        role VARCHAR(8) NOT NULL,
        version VARCHAR(32) NOT NULL,
        host TEXT NOT NULL,
        pid BIGINT NOT NULL,
        worker_id VARCHAR(40),
        map VARCHAR(12) NOT NULL,
        draining INTEGER NOT NULL,
        since BIGINT NOT NULL,
        seen_at BIGINT NOT NULL,
        CONSTRAINT pk_nodes PRIMARY KEY (id)
    )
    """,
)


def upgrade() -> None:
    """Run them."""
    for statement in _STATEMENTS:
        op.execute(statement)

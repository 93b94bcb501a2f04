"""Which of several databases holds which shards."""

from alembic import op

revision = "0007"
down_revision = "0006"

_STATEMENTS = (
    """
    CREATE TABLE cell (
        id VARCHAR(16) NOT NULL,
        home VARCHAR(16) NOT NULL,
        changes BIGINT NOT NULL,
        CONSTRAINT pk_cell PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE shards (
        shard INTEGER NOT NULL,
        cell VARCHAR(17) NOT NULL,
        CONSTRAINT pk_shards PRIMARY KEY (shard)
    )
    """,
)


def upgrade() -> None:
    """Run them."""
    for statement in _STATEMENTS:
        op.execute(statement)

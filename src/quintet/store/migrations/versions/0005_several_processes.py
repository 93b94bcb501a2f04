"""What several processes on one database know of each other."""

from alembic import op

revision = "0005"
down_revision = "0004"

_STATEMENTS = (
    """
    CREATE TABLE commit_marks (
        lane VARCHAR(40) NOT NULL,
        number BIGINT NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT pk_commit_marks PRIMARY KEY (lane)
    )
    """,
    """
    CREATE TABLE workers (
        id VARCHAR(40) NOT NULL,
        beat BIGINT NOT NULL,
        CONSTRAINT pk_workers PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE lineages (
        system VARCHAR(40) NOT NULL,
        timeline BIGINT NOT NULL,
        since BIGINT NOT NULL,
        CONSTRAINT pk_lineages PRIMARY KEY (system, timeline)
    )
    """,
)


def upgrade() -> None:
    """Run them."""
    for statement in _STATEMENTS:
        op.execute(statement)

"""The log in segments: on PostgreSQL a partition for each."""

from alembic import op

revision = "0008"
down_revision = "0007"

_BOTH = (
    "ALTER TABLE events ADD COLUMN segment INTEGER DEFAULT 0 NOT NULL",
    """
    CREATE TABLE segments (
        number INTEGER NOT NULL,
        began_at BIGINT NOT NULL,
        CONSTRAINT pk_segments PRIMARY KEY (number)
    )
    """,
)
# One row for each user: made anew, so that a table of any age is in the words of a new one.
_SQLITE = (
    "CREATE TABLE heads_before AS SELECT * FROM heads",
    "DROP TABLE heads",
    """
    CREATE TABLE heads (
        user_id VARCHAR(40) NOT NULL,
        epoch VARCHAR(16) NOT NULL,
        seq BIGINT DEFAULT 0 NOT NULL,
        digest VARCHAR(8) DEFAULT '0' NOT NULL,
        kept_after BIGINT DEFAULT 0 NOT NULL,
        auth_rev BIGINT DEFAULT 0 NOT NULL,
        segment INTEGER DEFAULT 0 NOT NULL,
        segment_after BIGINT DEFAULT 0 NOT NULL,
        CONSTRAINT pk_heads PRIMARY KEY (user_id),
        CONSTRAINT ck_heads_no_number_twice CHECK (segment_after <= seq),
        CONSTRAINT fk_heads_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "INSERT INTO heads (user_id, epoch, seq, digest, kept_after, auth_rev)"
    " SELECT user_id, epoch, seq, digest, kept_after, auth_rev FROM heads_before",
    "DROP TABLE heads_before",
)
# What is there becomes the first partition as it is. Its indexes are made anew, for the unique ones have to contain the segment.
_POSTGRES = (
    "ALTER TABLE heads ADD COLUMN segment INTEGER DEFAULT 0 NOT NULL, ADD COLUMN segment_after BIGINT DEFAULT 0 NOT NULL,"
    " ADD CONSTRAINT ck_heads_no_number_twice CHECK (segment_after <= seq)",
    "DROP INDEX uq_events_user_id_seq, uq_events_one_ending, ix_events_of_no_run",
    "ALTER TABLE events RENAME TO events_0",
    "CREATE TABLE events (LIKE events_0 INCLUDING DEFAULTS) PARTITION BY LIST (segment)",
    "CREATE UNIQUE INDEX uq_events_segment_user_id_seq ON events (user_id, seq, segment)",
    "CREATE UNIQUE INDEX uq_events_segment_one_ending ON events (user_id, run_id, segment) WHERE final = 1",
    "CREATE INDEX ix_events_of_no_run ON events (user_id, seq) WHERE run_id IS NULL",
    "ALTER TABLE events ATTACH PARTITION events_0 FOR VALUES IN (0)",
)


def upgrade() -> None:
    """Run them."""
    for statement in _BOTH + (_POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE):
        op.execute(statement)

"""What makes the audit append-only in the database, too: triggers, for a hole in a query of ours and for a slip on the host.

1. Taken away are rows older than 400 days, by the clock of the database: nobody's word about the time is taken.
2. Changed is one thing: address and detail to nothing, in rows of an account whose deletion has begun and is not at its end.
3. SQLite's INSERT OR REPLACE deletes without asking a trigger for deletions: a row whose id is taken is refused.
4. PostgreSQL finds the table of users beside the audit, not by the search path, where a table of somebody's own may come first.

They stop nobody who may alter tables. The migration that makes the audit makes them in the same words; a test compares.
"""

from sqlalchemy import DDL, Table, event

__all__ = ["keep"]

_SQLITE = (
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
_POSTGRES = (
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


def keep(table: Table) -> None:
    """Make the triggers with the table."""
    for dialect, statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRES)):
        for statement in statements:
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]

"""Making a database ready for tests: its role, one that was kept or is still in use, migrations that do not fit it or each other."""

from quintet.triage.signatures import Rule, row

RULES: tuple[Rule, ...] = (
    row(
        "role-absent",
        "database",
        r"role \"(?P<subject>[\w.-]{1,80})\" does not exist",
        "The database server answers, and knows no role {subject}.",
        "The server itself says so, before it looks at any password.",
        "The address names this user and nobody made it; or it names none, and then `PGUSER`, or the system's user who runs the tests, is taken.",
        "Name the user in the tests' database address (`postgresql://user:password@host/name`), or create the role where the server is set up.",
        exceptions="OperationalError InvalidAuthorizationSpecificationError InvalidAuthorizationSpecification DatabaseError UndefinedObject "
        "UndefinedObjectError ProgrammingError",
    ),
    row(
        "database-in-use",
        "database",
        r"(?:database|source database) \"(?P<subject>[\w.-]{1,80})\" is being accessed by other users|cannot drop the currently open database",
        "The database {subject} cannot be dropped (or copied): somebody is still connected to it.",
        "The server itself says so, and counts the other sessions.",
        "A test or the application leaves a connection open (a pool, a global, a session that no fixture closes); what is not dropped "
        "stands in the way of the next test.",
        "Close every connection before the database goes (`engine.dispose()`, `pool.close()`, a fixture that closes after `yield`); as a last resort "
        "`DROP DATABASE … WITH (FORCE)`.",
        exceptions="ObjectInUse ObjectInUseError OperationalError DatabaseError ProgrammingError",
    ),
    row(
        "test-database-kept",
        "database",
        r"^TestDatabaseKept: [^\n]{0,80}test database '(?P<subject>[^'\n]{1,120})'",
        "The test database {subject} of an earlier run is still there, and Django asks whether it may be deleted: here nobody can answer.",
        "The question is the last that was printed, and reading the answer failed (EOFError): no terminal is attached.",
        "An earlier run was killed before it removed its database (or two runs share one name).",
        "Start the tests with `--noinput` (`python manage.py test --noinput`; with pytest-django `--create-db`), which deletes it without asking; "
        "runs at the same time need names of their own.",
        "python manage.py test --noinput",
        exceptions="TestDatabaseKept",
        phases=("session",),
    ),
    row(
        "migration-unknown",
        "database",
        r"Can't locate revision identified by '(?P<subject>[\w.-]{1,80})'|No such revision or branch '(?P<subject_b>[\w.-]{1,80})'"
        r"|Detected applied migration not resolved locally: (?P<subject_c>[\w.-]{1,80})",
        "The database says that migration {subject} was run on it, and this checkout has no such migration.",
        "The migration tool looked among its files for what the database names, and found nothing.",
        "The database was kept from an earlier run, or from another branch, which had that migration; or its file was removed or not checked in.",
        "Throw the test database away and make it anew from empty (a kept file, volume or schema is left from another state of the code); if the "
        "migration belongs here, bring its file back.",
        exceptions="CommandError ResolutionError FlywayException",
        together=False,
    ),
    row(
        "migration-heads",
        "database",
        r"Multiple head(?:s are| revisions are)? present[^\n]{0,60}(?:; (?P<subject>[\w]{2,40}, [\w, ]{2,120}))?|Multiple head revisions"
        r"|Conflicting migrations detected; multiple leaf nodes[^\n]{0,60}?\((?P<subject_b>[\w, .]{3,160})",
        "The migrations have several heads ({subject}): two of them follow the same one, so there is no single newest.",
        "The migration tool was asked for the newest, and found more than one.",
        "Two branches each added a migration after the same one, and both were merged.",
        "Join the heads (`alembic merge heads`, `manage.py makemigrations --merge`), or let one follow the other; then run the migrations once from "
        "empty, and have CI refuse a second head.",
        exceptions="CommandError MultipleHeads",
    ),
    row(
        "migrations",
        "database",
        r"Target database is not up to date|InconsistentMigrationHistory|NodeNotFoundError|No changes detected",
        "The migrations of the database do not fit together.",
        "The migration tool says so.",
        "A migration is missing, or one was put in before others that had run already.",
        "Restore the missing migration (or correct what it depends on), then run the migrations once from empty.",
        exceptions="CommandError InconsistentMigrationHistory NodeNotFoundError",
    ),
)

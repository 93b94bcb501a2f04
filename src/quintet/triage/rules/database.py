"""What a database answers, and what its library refuses before asking it."""

from quintet.triage.signatures import Rule, row

RULES: tuple[Rule, ...] = (
    row(
        "database-login",
        "database",
        r"password authentication failed for user|no password supplied|no pg_hba\.conf entry|Access denied for user"
        r"|role \"[^\"]{1,80}\" does not exist",
        "The database server answered and refused the login.",
        "The server itself sent this refusal, so it is running.",
        "The address in the test environment has another user or password than this server, or another server "
        "answers on this port.",
        "Correct user and password in the tests' database address; check which server listens on the port.",
        exceptions="OperationalError InvalidPasswordError InvalidAuthorizationSpecificationError ProgrammingError "
        "DatabaseError",
    ),
    row(
        "database-privilege",
        "database",
        r"permission denied (?:for|to) (?P<subject>[^\n]{1,60}?)(?:$|\n|[\"')])|must be (?:owner of|superuser)[^\n]{0,60}"
        r"|command denied to user",
        "The database's user may not do what the tests ask for ({subject}).",
        "The database server itself sent this refusal: it knows the user and what is asked for.",
        "The role in the tests' address is not the owner, or the right was never granted in this database.",
        "Grant the role what it needs (`GRANT …`, `ALTER ROLE … CREATEDB` where a test database is made), or connect as the owner.",
        exceptions="InsufficientPrivilege InsufficientPrivilegeError ProgrammingError OperationalError DatabaseError",
    ),
    row(
        "other-thread",
        "database",
        r"SQLite objects created in a thread can only be used in that same thread",
        "A connection of SQLite is used in another thread than the one that made it.",
        "sqlite3 compares the threads with every call and refuses the other one.",
        "The connection is made when a module is imported (or by a fixture), and the server runs its code in threads of its own.",
        "Open a connection for each request (or thread); with `check_same_thread=False` one may be shared, under a lock.",
        exceptions="ProgrammingError",
        raised_in=("library",),
    ),
    row(
        "driver-not-async",
        "database",
        r"asyncio extension requires an async driver[^\n]{0,60}?loaded '(?P<subject>\w+)'|asyncio extension requires an async driver",
        "The address of the database names a driver ({subject}) that is not async, and an async engine is made of it.",
        "SQLAlchemy looked at the driver when the engine was made, before any connection.",
        "The address (or its default) is written for a synchronous engine.",
        "Name an async driver in the address of the tests: `sqlite+aiosqlite://`, `postgresql+asyncpg://`.",
        exceptions="InvalidRequestError",
        raised_in=("library",),
    ),
    row(
        "schema-of-file",
        "database",
        r"no such table: (?P<subject>[\w.]+)",
        "The SQLite database has no {subject}: it was made without the schema, or it is another file than the one that has it.",
        "SQLite itself answered that {subject} does not exist in the file that was opened.",
        "Migrations (or `create_all`) did not run for the database of this test; or the path leads elsewhere: SQLite "
        "makes a new, empty file where "
        "there is none, a relative path begins where pytest was started, and each connection to `:memory:` is a database of its own.",
        "Make the schema in the fixture that makes the test database, once per worker; build the path of the file from "
        "`__file__` (or `tmp_path`), and "
        "keep one connection (`StaticPool`) where it is `:memory:`.",
        exceptions="OperationalError ProgrammingError DatabaseError",
        effort=2,
    ),
    row(
        "database-absent",
        "database",
        r"database \"(?P<subject>[\w.-]{1,80})\" does not exist|Unknown database '(?P<subject_b>[\w.-]{1,80})'"
        r"|Cannot open database \"(?P<subject_c>[\w.-]{1,80})\"",
        "The server answers, and has no database named {subject}.",
        "The database server itself says so: the connection reached it.",
        "Nobody made it for this run; where the name ends with a worker (`gw1`) only some of the workers' databases were made.",
        "Create the database in the session's fixture, under the name of the worker (`worker_id`), before anything "
        "connects; or correct the name.",
        exceptions="OperationalError InvalidCatalogNameError InvalidCatalogName DatabaseError ProgrammingError InterfaceError",
        effort=2,
    ),
    row(
        "schema-missing",
        "database",
        r"(?:relation|table|database) \"?(?P<subject_b>[\w.]+)\"? does not exist"
        r"|no such column: (?P<subject_c>[\w.]+)|column \"?(?P<subject_d>[\w.]+)\"?[^\n]{0,40} does not exist"
        r"|table \w+ has no column named (?P<subject_e>\w+)|Unknown column",
        "The database has no {subject}: its schema is not the one the code expects.",
        "The database itself answered that {subject} does not exist.",
        "Migrations (or `create_all`) did not run for the database of this test.",
        "Run the migrations for the test database before the tests, once per worker (a template database makes it "
        "cheap).",
        exceptions="OperationalError ProgrammingError UndefinedTableError UndefinedTable UndefinedColumnError "
        "UndefinedColumn InvalidCatalogNameError DatabaseError",
        effort=2,
    ),
    row(
        "constraint",
        "database",
        r"(?:NOT NULL constraint failed: |null value in column \"?)(?P<subject>[\w.]+)|FOREIGN KEY constraint "
        r"failed|violates (?:foreign key|check) constraint",
        "The database refuses a row: a required value is missing ({subject}).",
        "A constraint of the schema was violated while the test stored its data.",
        "The test (or its factory) builds a row without what the schema demands now.",
        "Give the test data the missing value, or give the column a default.",
        exceptions="IntegrityError NotNullViolationError NotNullViolation ForeignKeyViolationError "
        "ForeignKeyViolation CheckViolationError",
        together=False,
    ),
    row(
        "database-file",
        "database",
        r"unable to open database file|attempt to write a readonly database|file is not a database|database disk image is malformed",
        "The file of the database cannot be used.",
        "SQLite looked at the file (or its folder) and refused it.",
        "The folder is not there or not writable for this user, the path is relative to another directory, or the file is "
        "none of SQLite's.",
        "Build the path from `__file__` or `tmp_path`, make its folder first, and see which user owns it.",
        exceptions="OperationalError DatabaseError",
    ),
    row(
        "plain-sql",
        "database",
        r"Textual SQL expression .{0,200} should be explicitly declared as text\(|Not an executable object: '|"
        r"'str' object has no attribute '_execute_on_connection'",
        "A plain string is passed to SQLAlchemy 2, which takes only `text(...)`; the caller then reports its "
        "database as down.",
        "SQLAlchemy refused the statement before it was sent: this is not a connection fault.",
        "The statement was written for SQLAlchemy 1.x.",
        "Wrap the statement in `sqlalchemy.text()` (and restart the server that the tests talk to).",
        exceptions="ArgumentError ObjectNotExecutableError AttributeError AssertionError Failed",
    ),
    row(
        "transaction-aborted",
        "database",
        r"current transaction is aborted|another operation is in progress|This session is in 'prepared' state|Can't "
        r"operate on closed transaction|You can't execute queries until the end of the 'atomic' block|PendingRollbackError",
        "A database session is used after it failed, or by two tasks at once.",
        "The driver refused the statement because of the state that an earlier one left.",
        "An earlier error was swallowed, or one connection is shared between tasks.",
        "Find the first error of the transaction; roll back after it (what may fail belongs into a savepoint of its own: Django's "
        "`with transaction.atomic():`, SQLAlchemy's `begin_nested()`); give every task its own connection.",
        exceptions="InFailedSQLTransactionError InFailedSqlTransaction InternalError InterfaceError "
        "PendingRollbackError InvalidRequestError ProgrammingError TransactionManagementError",
        effort=2,
    ),
    row(
        "connections-used-up",
        "database",
        r"too many clients already|QueuePool limit|remaining connection slots|too many connections|database is "
        r"locked|being accessed by other users",
        "The database's connections (or its one lock) are used up.",
        "The server or the pool refused one more connection.",
        "Tests do not close what they open, or more workers run than the server allows.",
        "Close engines and sessions in fixtures; lower the number of workers or raise the server's limit.",
        exceptions="OperationalError TooManyConnectionsError TimeoutError InternalError ObjectInUseError DatabaseError",
        effort=2,
    ),
    row(
        "server-database-error",
        "database",
        r"(?i)(?:\{ ?['\"](?:detail|error|message)['\"]: ?|\b50[03]\b|internal server error)[^\n]{0,200}(?:failed to "
        r"(?:store|save|write|insert|persist|"
        r"connect)|could not (?:store|save|write)|error)[^\n]{0,60}(?:postgres\w*|mysql|sqlite|mongodb|database)\b",
        "The server under test could not write to its database.",
        "The answer of the server says so; what the database said stands only in the server's log.",
        "Schema and code differ, or the write itself is wrong: the server's log decides.",
        "Read the server's log at the time of the test, then fix what the database refused (often a missing "
        "migration).",
        exceptions="Failed HTTPStatusError HTTPError",
        effort=2,
    ),
    row(
        "access-not-allowed",
        "database",
        r"Database access not allowed, use the \"(?P<subject>django_db)\" mark|Database (?:queries|connections|"
        r"threaded connections) to .{1,40} are not allowed",
        "Tests use the database without asking for it.",
        "pytest-django (or Django's test case) blocks the database unless a test asks for it.",
        "The test lacks the mark `django_db`, or is a SimpleTestCase; or a fixture of the session or module asks before any test could.",
        "Mark the tests with `@pytest.mark.django_db` (or request `db` in the fixture); a fixture of a wider scope requests `django_db_setup` and "
        "works `with django_db_blocker.unblock():`; TestCase instead of SimpleTestCase.",
        exceptions="RuntimeError DatabaseOperationForbidden",
        raised_in=("library", "runner", "product", "test"),
    ),
    row(
        "detached",
        "database",
        r"DetachedInstanceError|is not bound to a Session|is not persistent within this Session|already attached to "
        r"session",
        "An object of the database is used outside of the session it came from.",
        "SQLAlchemy refused to load or save it.",
        "The session was closed (or another one is used) before its attributes were read.",
        "Read what is needed inside the session, or use `expire_on_commit=False` in the tests' session.",
        exceptions="DetachedInstanceError InvalidRequestError UnboundExecutionError",
        raised_in=("library",),
    ),
    row(
        "model-not-imported",
        "database",
        r"expression '(?P<subject>[\w.\[\]\"]{1,80})' failed to locate a name",
        "The model {subject} is named in a relationship, and nothing has imported it when SQLAlchemy puts the models together.",
        "SQLAlchemy looked for the name among the models that are imported, and found none; after that no model can be "
        "used, so other tests fail as well.",
        "The tests import one model only, not the module that defines {subject}; where everything is imported together "
        "(the application) it works. Or "
        "the name was misspelt.",
        "Import all models in one place (`__init__.py` of the models' package), and import that in the application and in conftest.py.",
        exceptions="InvalidRequestError",
        raised_in=("library",),
    ),
    row(
        "mapping",
        "database",
        r"is already defined for this MetaData instance|could not determine join condition|Mapper .{1,120} (?:has no "
        r"property|could not assemble)|"
        r"expression .{1,80} failed to locate a name|One or more mappers failed to initialize|Foreign key associated "
        r"with column",
        "The models of the database do not fit each other.",
        "SQLAlchemy refused the mapping when it put the models together.",
        "A model is imported twice under two names, or a related model is not imported, or its definition is wrong.",
        "Import every model once, under one name, before the first query; correct the definition that the message "
        "names.",
        exceptions="InvalidRequestError ArgumentError NoReferencedTableError NoForeignKeysError "
        "AmbiguousForeignKeysError",
        raised_in=("library",),
    ),
    row(
        "extension-missing",
        "database",
        r"extension \"(?P<subject>[\w-]+)\" is not available|type \"(?P<subject_b>vector|geometry|citext|hstore)\" "
        r"does not exist|"
        r"function (?P<subject_c>uuid_generate_v4|gen_random_uuid)\S* does not exist|could not open extension "
        r"control file|no such module: (?P<subject_d>\w+)",
        "The database server lacks the extension {subject}.",
        "The server itself says so.",
        "It is another build than the one the application was written for.",
        "Use a server with the extension (for PostgreSQL one with contrib), and create it before the tests.",
        exceptions="OperationalError ProgrammingError FeatureNotSupportedError UndefinedObjectError "
        "UndefinedFunctionError UndefinedFileError DatabaseError",
    ),
    row(
        "statement-unread",
        "database",
        r"(?i:(?P<subject>near \"(?:from|where|join|select|group|order|by|and|or|values|into|having|union|[,);=*.?])\"): syntax error)",
        "The database cannot read the statement ({subject}).",
        "The database refused to read it at a word that every kind of database knows.",
        "Its parts stand in another order, or one is missing or there twice; or it is written for another kind of database.",
        "Print the whole statement, and read it up to the place named; change what puts it together.",
        exceptions="OperationalError ProgrammingError DatabaseError",
        guess=True,
    ),
    row(
        "dialect",
        "database",
        r"Compiler .{1,80} can't render element of type|(?P<subject>near \"[^\"]{1,40}\"): syntax error|SQLite "
        r"(?:does not|DateTime|Date) |type '(?P<subject_b>\w+)' is not supported|"
        r"UnsupportedCompilationError|Error binding parameter|no such function: (?P<subject_c>\w+)"
        r"|function (?P<subject_d>(?:date_format|ifnull|group_concat|strftime|datetime|julianday)\([^)\n]{0,60}\)) does not exist",
        "The database of the tests cannot read the statement ({subject}): it is not of its dialect.",
        "The database (or its driver) refused to read it: the words are not its own.",
        "The application runs on another kind of database than its tests (often SQLite), and this statement is of the former; or misspelt.",
        "Test against the same kind of database, or keep to what both understand.",
        exceptions="CompileError OperationalError UnsupportedCompilationError ProgrammingError InterfaceError "
        "StatementError",
        raised_in=("library", "product", "stdlib", "test"),
    ),
    row(
        "database-refuses",
        "database",
        r"^(?P<subject>(?!(?:Type|Value|Attribute|Key|Index|Name|Runtime|Import|Assertion|NotImplemented|Timeout"
        r"|Connection\w*|OS|ModuleNotFound)Error\b)"
        r"[A-Z]\w+): ",
        "The database (or its driver) refused what was asked of it: {subject}.",
        "The exception was raised inside of the driver, after the statement was handed to it.",
        "The message tells what it refused; why the code asks for it is not in this report.",
        "Begin at the statement that the message shows.",
        passed=r"/(?:psycopg2?|asyncpg|aiosqlite|pymysql|MySQLdb|oracledb|pymongo|motor)/[^\n]*\Z",
        raised_in=("library",),
        strict=True,
        general=True,
        together=False,
    ),
    row(
        "database-other",
        "database",
        r"^(?P<subject>\w+): ",
        "The database (or its library) refused what was asked of it: {subject}.",
        "The exception is one of the database library's own, raised inside of it.",
        "The message tells what it refused; why the code asks for it is not in this report.",
        "Begin at the statement that the message shows.",
        exceptions="OperationalError ProgrammingError InternalError DatabaseError DataError NotSupportedError "
        "StatementError DBAPIError InvalidRequestError ArgumentError "
        "NoResultFound MultipleResultsFound PostgresError UndefinedTableError NoInspectionAvailable "
        "ObjectNotExecutableError",
        raised_in=("library", "stdlib"),
        strict=True,
        general=True,
        together=False,
        alone=r"^(?P<subject>(?:Operational|Programming|Database|Data|Internal)Error): \(",
    ),
)

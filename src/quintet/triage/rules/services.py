"""What the tests talk to: other processes and databases."""

from quintet.triage.model import Place
from quintet.triage.signatures import Rule, row

_NETWORK = (
    "ConnectionRefusedError ConnectError ConnectionError ConnectionResetError OSError OperationalError "
    "NewConnectionError MaxRetryError URLError "
    "ClientConnectorError ClientConnectionError NoServersError NoBrokersAvailable ServerSelectionTimeoutError "
    "EndpointConnectionError "
    "ServiceUnavailable CannotConnectNowError InterfaceError AMQPConnectionError ConnectTimeout TimeoutError "
    "WebSocketException "
    "ConnectionFailure AutoReconnect KafkaConnectionError DBAPIError gaierror ClientConnectorDNSError"
)
_OUTSIDE: tuple[Place, ...] = ("library", "stdlib")

_SERVICES = (
    row(
        "docker-absent",
        "services",
        r"Error while fetching server API version|Cannot connect to the Docker daemon|docker daemon is not running",
        "The tests want Docker, and no Docker daemon answers.",
        "The Docker client found no daemon at its socket.",
        "Docker is not running here, or this user may not reach it.",
        "Start Docker, or run the services of the tests without it.",
        "docker info",
        exceptions="DockerException DockerError ContainerStartException",
        raised_in=_OUTSIDE,
    ),
    row(
        "host-unknown",
        "services",
        r"(?:getaddrinfo failed|Name or service not known|nodename nor servname|Temporary failure in name "
        r"resolution|failed to resolve host|could not translate host name)"
        r"(?:[^\n]{0,80}?['\"](?P<subject>[\w.-]{1,80})['\"])?",
        "A service's host name {subject} does not resolve here.",
        "The name look-up failed before any connection was tried.",
        "The address is meant for another network, such as a container's name used outside of compose.",
        "Point the address of the test environment to a host that exists here (localhost or the CI service's name).",
        exceptions=_NETWORK,
        raised_in=_OUTSIDE,
    ),
    row(
        "connection-refused",
        "services",
        r"(?:Connect call failed \((?P<subject_b>'[\w.:]+', \d+)|(?:host=|to |at "
        r"|//)['\"]?(?P<subject>[\w.-]{2,80}['\"]?[:,] ?(?:port[= ])?\d{2,5})[^\n]{0,160}?(?:refused|timed out|Max "
        r"retries)"
        r"|Connection refused|WinError 10061|actively refused|All connection attempts failed|Errno (?:111|61)\](?! Connect call)|no "
        r"servers available|NoBrokersAvailable|No servers found)",
        "Nothing listens where the tests expect a service {subject}.",
        "The connection was refused at once: the address was reached and no process accepts there.",
        "The service was not started for this run, or it listens on another port.",
        "Start the service before the tests (and wait until it answers), or correct the address in the test "
        "environment.",
        exceptions=_NETWORK,
        raised_in=_OUTSIDE,
        effort=2,
    ),
)

_DATABASE = (
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
        exceptions="OperationalError InvalidPasswordError InvalidAuthorizationSpecificationError ProgrammingError DatabaseError",
    ),
    row(
        "schema-missing",
        "database",
        r"no such table: (?P<subject>[\w.]+)|(?:relation|table|database) \"?(?P<subject_b>[\w.]+)\"? does not exist"
        r"|no such column: (?P<subject_c>[\w.]+)|column \"?(?P<subject_d>[\w.]+)\"?[^\n]{0,40} does not exist"
        r"|Unknown column",
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
        exceptions="IntegrityError NotNullViolationError NotNullViolation ForeignKeyViolationError ForeignKeyViolation CheckViolationError",
        together=False,
    ),
    row(
        "plain-sql",
        "database",
        r"Textual SQL expression .{0,200} should be explicitly declared as text\(",
        "A plain string is passed to SQLAlchemy 2, which takes only `text(...)`; the caller then reports its "
        "database as down.",
        "SQLAlchemy refused the statement before it was sent: this is not a connection fault.",
        "The statement was written for SQLAlchemy 1.x.",
        "Wrap the statement in `sqlalchemy.text()` (and restart the server that the tests talk to).",
        exceptions="ArgumentError ObjectNotExecutableError AssertionError Failed",
    ),
    row(
        "transaction-aborted",
        "database",
        r"current transaction is aborted|another operation is in progress|This session is in 'prepared' state|Can't "
        r"operate on closed transaction|PendingRollbackError",
        "A database session is used after it failed, or by two tasks at once.",
        "The driver refused the statement because of the state that an earlier one left.",
        "An earlier error was swallowed, or one connection is shared between tasks.",
        "Find the first error of the transaction; roll back after it; give every task its own connection.",
        exceptions="InFailedSQLTransactionError InFailedSqlTransaction InternalError InterfaceError "
        "PendingRollbackError InvalidRequestError ProgrammingError",
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
        r"(?i)\b(?:500|internal server error)\b[^\n]{0,200}(?:postgres\w*|mysql|sqlite|mongodb|database)\b|failed "
        r"to (?:store|save|write|insert|persist)[^\n]{0,60}(?:postgres\w*|mysql|sqlite|mongodb|database)\b",
        "The server under test could not write to its database.",
        "The answer of the server says so; what the database said stands only in the server's log.",
        "Schema and code differ, or the write itself is wrong: the server's log decides.",
        "Read the server's log at the time of the test, then fix what the database refused (often a missing "
        "migration).",
        exceptions="AssertionError Failed HTTPStatusError HTTPError",
        effort=2,
    ),
)

RULES: tuple[Rule, ...] = _SERVICES + _DATABASE

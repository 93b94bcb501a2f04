"""What each kind of failure is recognised as. Every text is a small twin of a real one."""

import pytest

from triage.texts import Session, categories, only_cause, raised

pytestmark = pytest.mark.l1

# ruff: noqa: E501  # one failure, one line: a table reads better wide

_LIB = "/srv/venv/lib/python3.12/site-packages"
_STD = "/usr/lib/python3.12"

CALLS = [
    ("dependencies", "probable", raised(f"{_LIB}/passlib/handlers/bcrypt.py", 655, "hash = _bcrypt.hashpw(s, c)", "ValueError: password cannot be longer than 72 bytes, truncate manually")),
    ("dependencies", "probable", raised("tests/test_a.py", 3, "AsyncClient(app=app)", "TypeError: AsyncClient.__init__() got an unexpected keyword argument 'app'")),
    ("services", "probable", raised(f"{_STD}/asyncio/selector_events.py", 691, "raise OSError(err)", "ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 5433)")),
    ("services", "probable", raised(f"{_LIB}/redis/connection.py", 9, "raise", "redis.exceptions.ConnectionError: Error 111 connecting to localhost:6380. Connection refused.")),
    ("services", "probable", raised(f"{_STD}/socket.py", 9, "for res in _socket.getaddrinfo()", "socket.gaierror: [Errno -2] Name or service not known")),
    ("services", "probable", raised(f"{_LIB}/docker/api/client.py", 9, "raise", "docker.errors.DockerException: Error while fetching server API version: no such file")),
    ("database", "probable", raised(f"{_LIB}/sqlalchemy/engine/default.py", 9, "cursor.execute()", "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: invoices")),
    ("database", "probable", raised(f"{_LIB}/asyncpg/connection.py", 9, "await", "asyncpg.exceptions.InvalidPasswordError: password authentication failed for user \"bob\"")),
    ("database", "probable", raised(f"{_LIB}/sqlalchemy/x.py", 9, "raise", "sqlalchemy.exc.IntegrityError: (sqlite3.IntegrityError) NOT NULL constraint failed: bills.total")),
    ("environment", "probable", raised("app/settings.py", 9, "raise RuntimeError(", "RuntimeError: BILLING_API_HOST is not set. See the manual.")),
    ("environment", "probable", raised(f"{_LIB}/pydantic_settings/main.py", 9, "super().__init__()", "pydantic_core._pydantic_core.ValidationError: 2 validation errors for AppSettings\nE   db_url\nE     Field required [type=missing]")),
    ("resources", "probable", raised(f"{_STD}/socket.py", 9, "bind", "OSError: [Errno 98] Address already in use")),
    ("websocket", "probable", raised(f"{_LIB}/websockets/asyncio/client.py", 9, "raise", "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 500")),
    ("websocket", "probable", raised(f"{_LIB}/websockets/asyncio/connection.py", 9, "raise", "websockets.exceptions.ConnectionClosedError: received 1011 (internal error); then sent 1011")),
    ("websocket", "probable", raised(f"{_LIB}/websockets/asyncio/connection.py", 9, "raise", "websockets.exceptions.ConnectionClosedError: no close frame received or sent")),
    ("auth", "probable", raised(f"{_LIB}/websockets/asyncio/client.py", 9, "raise", "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 403")),
    ("auth", "probable", raised(f"{_LIB}/jwt/api_jws.py", 9, "raise", "jwt.exceptions.InvalidSignatureError: Signature verification failed")),
    ("auth", "probable", raised(f"{_LIB}/jwt/api_jwt.py", 9, "raise", "jwt.exceptions.InvalidAudienceError: Audience doesn't match")),
    ("auth", "suspect", ("E   AssertionError: assert 401 == 200", "E    +  where 401 = <Response [401]>.status_code")),
    ("auth", "suspect", ("E   AssertionError: {'detail': 'Token has expired'}", "E   assert 401 == 200")),
    ("async", "probable", raised(f"{_STD}/asyncio/locks.py", 9, "raise", "RuntimeError: <asyncio.locks.Lock object at 0x7f0011223344> is bound to a different event loop")),
    ("async", "probable", raised("app/core.py", 9, "await thing()", "TypeError: object MagicMock can't be used in 'await' expression")),
    ("isolation", "suspect", ("E   assert 429 == 201", "E    +  where 429 = <Response [429]>.status_code")),
    ("isolation", "probable", raised(f"{_LIB}/sqlalchemy/x.py", 9, "raise", "sqlalchemy.exc.IntegrityError: (sqlite3.IntegrityError) UNIQUE constraint failed: users.email")),
    ("drift", "probable", raised("tests/test_a.py", 9, "repo.find_all()", "AttributeError: 'Repo' object has no attribute 'find_all'")),
    ("drift", "probable", raised("tests/test_a.py", 9, "OldName()", "NameError: name 'OldName' is not defined")),
    ("drift", "probable", raised("tests/test_a.py", 9, "make(a=1)", "TypeError: make() got an unexpected keyword argument 'a'")),
    ("drift", "suspect", ("E   AssertionError: assert 'total' in {'sum': 3}",)),
    ("dependencies", "probable", raised(f"{_LIB}/jwt/api_jws.py", 9, "raise", "NotImplementedError: Algorithm 'RS256' could not be found. Do you have cryptography installed?")),
    ("dependencies", "probable", raised(f"{_LIB}/httpx/_transports/default.py", 9, "raise", "ImportError: Using http2=True, but the 'h2' package is not installed.")),
    ("environment", "probable", raised(f"{_LIB}/aiohttp/connector.py", 9, "raise", "aiohttp.client_exceptions.ClientConnectorSSLError: Cannot connect to host 127.0.0.1:8001 ssl:default [[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)]")),
    ("environment", "probable", raised(f"{_STD}/ssl.py", 9, "ctx.load_cert_chain('certs/server.pem')", "FileNotFoundError: [Errno 2] No such file or directory")),
    ("services", "probable", raised(f"{_LIB}/redis/_parsers/base.py", 9, "raise", "redis.exceptions.AuthenticationError: Authentication required.")),
    ("database", "probable", raised(f"{_LIB}/psycopg/connection.py", 9, "raise", "psycopg.errors.InsufficientPrivilege: permission denied for schema billing")),
    ("database", "suspect", raised(f"{_LIB}/psycopg/connection.py", 9, "raise", "psycopg.errors.InvalidTextRepresentation: invalid input syntax for type uuid")),
    ("database", "probable", raised(f"{_LIB}/sqlalchemy/ext/asyncio/engine.py", 9, "raise", "sqlalchemy.exc.InvalidRequestError: The asyncio extension requires an async driver to be used. The loaded 'psycopg2' is not async.")),
    ("fixtures", "probable", raised(f"{_LIB}/starlette/datastructures.py", 9, "raise AttributeError(", "AttributeError: 'State' object has no attribute 'ledger'")),
    ("fixtures", "proven", raised(f"{_LIB}/_pytest/python.py", 9, "warnings.warn(", "pytest.PytestReturnNotNoneWarning: Test functions should return None, but tests/test_a.py::test_x returned <class 'bool'>.")),
    ("auth", "probable", raised(f"{_LIB}/websockets/asyncio/connection.py", 9, "raise", "websockets.exceptions.ConnectionClosedError: received 3000 (registered) token expired; then sent 3000")),
    ("database", "probable", raised("app/store.py", 6, "db.execute('select 1')", "sqlite3.ProgrammingError: SQLite objects created in a thread can only be used in that same thread.")),
    ("websocket", "probable", raised(f"{_LIB}/aiohttp/client_ws.py", 9, "raise WSMessageTypeError(", "aiohttp.client_exceptions.WSMessageTypeError: Received message 8:4008 is not WSMsgType.TEXT")),
    ("auth", "suspect", ("tests/test_a.py:6: in test_x", "    assert r.status_code == 200, r.text", "E   AssertionError: Disallowed CORS origin", "E   assert 400 == 200")),
    ("async", "probable", raised(f"{_STD}/asyncio/runners.py", 9, "raise", "RuntimeError: Runner.run() cannot be called from a running event loop")),
    ("auth", "probable", raised(f"{_LIB}/aiohttp/client_reqrep.py", 9, "raise ClientResponseError(", "aiohttp.client_exceptions.ClientResponseError: 401, message='Unauthorized', url='http://127.0.0.1:1/me'")),
    ("auth", "probable", raised(f"{_STD}/urllib/request.py", 9, "raise HTTPError(", "urllib.error.HTTPError: HTTP Error 403: FORBIDDEN")),
    ("isolation", "probable", raised(f"{_LIB}/aiohttp/client_reqrep.py", 9, "raise ClientResponseError(", "aiohttp.client_exceptions.ClientResponseError: 429, message='Too Many Requests', url='http://127.0.0.1:1/me'")),
    ("drift", "probable", raised(f"{_STD}/urllib/request.py", 9, "raise HTTPError(", "urllib.error.HTTPError: HTTP Error 404: NOT FOUND")),
    ("drift", "probable", raised(f"{_LIB}/responses/__init__.py", 9, "raise response", "requests.exceptions.ConnectionError: Connection refused by Responses - the call doesn't match any registered mock.")),
    ("drift", "probable", raised(f"{_LIB}/aioresponses/core.py", 9, "raise ClientConnectionError(", "aiohttp.client_exceptions.ClientConnectionError: Connection refused: GET http://shop.test/v2/prices")),
    ("drift", "probable", raised(f"{_LIB}/respx/router.py", 9, "raise AllMockedAssertionError", "respx.models.AllMockedAssertionError: RESPX: <Request('GET', 'http://shop.test/v2')> not mocked!")),
    ("database", "probable", raised(f"{_LIB}/django/db/backends/base/base.py", 9, "raise", "django.db.transaction.TransactionManagementError: An error occurred in the current transaction. You can't execute queries until the end of the 'atomic' block.")),
    ("websocket", "probable", raised(f"{_LIB}/websocket/_handshake.py", 9, 'create_connection("ws://127.0.0.1/socket.io/?EIO=3&transport=websocket")', "websocket._exceptions.WebSocketBadStatusException: Handshake status 403 Forbidden")),
    ("drift", "probable", raised(f"{_STD}/unittest/mock.py", 1400, "raise AttributeError(", "AttributeError: <module 'app.mail' from '/srv/app/mail.py'> does not have the attribute 'send'", "get_original")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("category", "certainty", "lines"), CALLS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_failures_of_a_call(category: str, certainty: str, lines: tuple[str, ...]) -> None:
    """Class and raising frame together give `probable`; an assertion's words give `suspect`."""
    cause = only_cause(Session().fails("tests/test_a.py::test_x", *lines).explained())
    assert (cause.category, cause.certainty) == (category, certainty), cause.statement


SETUPS = [
    ("fixtures", "proven", ("file /srv/tests/test_a.py, line 3", "  def test_x(ledger_db):", "E       fixture 'ledger_db' not found")),
    ("dependencies", "probable", ("E       fixture 'requests_mock' not found",)),
    ("fixtures", "proven", ("E   fixture 'event_loop' not found",)),
    ("fixtures", "proven", ("ScopeMismatch: You tried to access the function scoped fixture a with a session scoped request object.",)),
    ("async", "proven", ("E   pytest.PytestRemovedIn9Warning: 'test_x' requested an async fixture 'pool', with no plugin or hook that handled it.",)),
    ("environment", "probable", raised("<frozen os>", 685, "raise KeyError(key) from None", "KeyError: 'BILLING_TOKEN'", "__getitem__")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("category", "certainty", "lines"), SETUPS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_failures_of_a_setup(category: str, certainty: str, lines: tuple[str, ...]) -> None:
    """What pytest itself states about its own run is proven."""
    cause = only_cause(Session().breaks("tests/test_a.py::test_x", *lines).explained())
    assert (cause.category, cause.certainty) == (category, certainty), cause.statement


COLLECTIONS = [
    ("markers-config", ("'slowish' not found in `markers` configuration option",)),
    ("dependencies", (*raised("tests/test_a.py", 3, "from app.x import y", "", "<module>")[:2], *raised("app/x.py", 1, "import fancylib", "ModuleNotFoundError: No module named 'fancylib'", "<module>"))),
    ("imports", raised("tests/test_a.py", 3, "from app.gone import y", "ModuleNotFoundError: No module named 'app.gone'", "<module>")),
    ("imports", ("import file mismatch:", "imported module 'test_a' has this __file__ attribute:", "  /srv/a/test_a.py")),
    ("drift", raised("tests/test_a.py", 3, "from app.x import Old", "ImportError: cannot import name 'Old' from 'app.x' (/srv/app/x.py)", "<module>")),
    ("imports", raised("tests/test_a.py", 3, "from lib import Old", f"ImportError: cannot import name 'Old' from 'lib' ({_LIB}/lib/__init__.py)", "<module>")),
    ("imports", ('E     File "/srv/tests/test_a.py", line 1', "E       def test_a(:", "E   SyntaxError: invalid syntax")),
    ("environment", raised("<frozen os>", 685, "raise KeyError(key) from None", "KeyError: 'BILLING_TOKEN'", "__getitem__")),
    ("isolation", ("Different tests were collected between gw0 and gw1. The difference is:",)),
]  # fmt: skip


@pytest.mark.parametrize(("category", "lines"), COLLECTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_failures_of_collection(category: str, lines: tuple[str, ...]) -> None:
    """Modules that cannot be imported."""
    assert categories(Session().cannot_collect("tests/test_a.py", *lines).explained()) == [category]


def test_what_a_chain_wraps_may_name_the_address() -> None:
    """The system's exception names none, and the library's own last one neither."""
    chain = (
        *raised(f"{_STD}/socket.py", 9, "connect", "ConnectionRefusedError: [Errno 111] Connection refused"),
        "",
        "During handling of the above exception, another exception occurred:",
        *raised(
            f"{_LIB}/redis/connection.py",
            9,
            "raise",
            "redis.exceptions.ConnectionError: Error 111 connecting to localhost:6380. Connection refused.",
        ),
        "",
        "The above exception was the direct cause of the following exception:",
        *raised(f"{_LIB}/queueing/backend.py", 9, "raise", "RuntimeError: retry limit exceeded"),
    )
    cause = only_cause(Session().fails("tests/test_a.py::test_x", *chain).explained())
    assert (cause.category, cause.subject) == ("services", "localhost:6380")


def test_many_missing_packages_are_one_cause() -> None:
    """An interpreter without the project's packages is one cause, whatever their number."""
    session = Session()
    for number, name in enumerate(("fancylib", "otherlib", "fancylib", "thirdlib")):
        session.cannot_collect(
            f"tests/test_{number}.py",
            *raised(f"tests/test_{number}.py", 1, f"import {name}", f"ModuleNotFoundError: No module named '{name}'"),
        )
    cause = only_cause(session.explained())
    assert (cause.blocks, cause.category) == (4, "dependencies")
    assert "fancylib" in cause.statement


def test_an_installed_plugin_is_not_called_missing() -> None:
    """The header shows what is loaded; the fact stands among the evidence."""
    session = Session().breaks(
        "tests/test_a.py::test_x",
        "E   pytest.PytestRemovedIn9Warning: 'test_x' requested an async fixture 'pool', with no plugin or hook that handled it.",
    )
    session.header += ["asyncio: mode=Mode.STRICT"]
    cause = only_cause(session.explained())
    assert any("Mode.STRICT" in fact.excerpt for fact in cause.facts)
    assert "not installed" not in cause.statement


def test_a_wrapped_exception_counts_by_its_origin() -> None:
    """What was wrapped is nearer to the cause than what was reported."""
    chain = (
        *raised(
            "app/policy.py",
            9,
            "if n < limit:",
            "TypeError: '<' not supported between instances of 'int' and 'MagicMock'",
        ),
        "",
        "During handling of the above exception, another exception occurred:",
        *raised("app/policy.py", 12, "raise", "app.policy.PolicyError: validation failed"),
    )
    cause = only_cause(Session().fails("tests/test_a.py::test_x", *chain).explained())
    assert cause.category == "drift"
    assert any("MagicMock" in fact.excerpt for fact in cause.facts)


def test_a_forgotten_await_is_found_in_the_warnings() -> None:
    """The warning names the failing test, so it is evidence; it stays a suspicion."""
    session = Session().fails("tests/test_a.py::test_x", "E   assert 403 == 200", "E    +  where 403 = r.status_code")
    session.warnings = [
        "tests/test_a.py::test_x",
        "  /srv/tests/test_a.py:9: RuntimeWarning: coroutine 'Pool.commit' was never awaited",
    ]
    cause = only_cause(session.explained())
    assert (cause.category, cause.certainty) == ("async", "suspect")

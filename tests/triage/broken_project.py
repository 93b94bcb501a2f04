"""A small project in which nearly everything fails, written to a folder and run for real.

A failing test's name begins with the category of its true cause: `test_drift__renamed`. What is raised here is raised by the real
libraries, so its frames are theirs.
"""

from pathlib import Path

PRODUCT = """
import asyncio, os, socket, sqlite3, subprocess, urllib.request
from abc import ABC, abstractmethod
from enum import Enum

lock = asyncio.Lock()

class Colour(Enum):
    RED = 1

class Repository(ABC):
    @abstractmethod
    def save(self): ...

class Ledger:
    def __init__(self, client=None): self.client = client
    def total(self): return 3
    def fetch(self): return self.client.get("/entries")
    async def fetch_later(self): return await self.client.get("/entries")

async def load(): return {"rows": 1}
def rows(): return load()["rows"]
def host(): return os.environ["LEDGER_HOST"]
def guarded():
    if not os.getenv("LEDGER_SALT"): raise RuntimeError("LEDGER_SALT is not set")
def checked():
    assert os.getenv("LEDGER_MODE"), "LEDGER_MODE must be set to prod or test"
def export():
    import openpyxl_of_the_moon
def book(a, b): return a, b
def three(): return 1, 2, 3
def settings(): return open("config/ledger.yaml")
def convert(): return subprocess.run(["ledger-convert-tool"])
def invoices(): return sqlite3.connect(":memory:").execute("select * from invoices")
def insert_twice():
    db = sqlite3.connect(":memory:")
    db.execute("create table users(email text unique)")
    db.execute("insert into users values('a@b.c')")
    db.execute("insert into users values('a@b.c')")
def insert_nothing():
    db = sqlite3.connect(":memory:")
    db.execute("create table jobs(title text not null)")
    db.execute("insert into jobs values(null)")
def reach(port):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5)
def wrapped(port):
    try: socket.create_connection(("127.0.0.1", port), 5)
    except OSError as fault: raise LookupError("the ledger is not reachable") from fault
def client_of(request): return request.client.host
def look_up(): return socket.create_connection(("ledger-db.invalid", 5432), 5)
def pump(): return asyncio.run(load())
"""

TESTS = """
import asyncio, socket
from unittest.mock import AsyncMock, MagicMock, patch

import httpx, pydantic, pytest, websockets
from pydantic_settings import BaseSettings
from sqlalchemy import create_engine, text

import ledger

def free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]

class Entry(pydantic.BaseModel):
    amount: int

class AppSettings(BaseSettings):
    ledger_database_url: str

@pytest.fixture
def broken(): return {}["rows"]
@pytest.fixture
def needs_absent(absent_pool): return absent_pool
@pytest.fixture(scope="session")
def wide(narrow): return 1
@pytest.fixture
def narrow(): return 1
@pytest.fixture
async def pool():
    yield 1

def test_environment__key(): ledger.host()
def test_environment__guard(): ledger.guarded()
def test_environment__assert_of_the_product(): ledger.checked()
def test_environment__file(): ledger.settings()
def test_environment__program(): ledger.convert()
def test_environment__settings(): AppSettings()
def test_dependencies__missing(): ledger.export()
def test_dependencies__httpx(): httpx.AsyncClient(app=object())
def test_dependencies__plugin(requests_mock): pass
def test_services__urllib(): ledger.reach(free())
def test_services__wrapped(): ledger.wrapped(free())
def test_services__httpx(): httpx.get(f"http://127.0.0.1:{free()}")
def test_services__name(): ledger.look_up()
def test_services__told():
    try: ledger.reach(free())
    except OSError as fault: pytest.fail(f"backend: HTTPConnectionPool: Max retries exceeded with url: / ({fault})")
@pytest.mark.asyncio
async def test_services__socket():
    async with websockets.connect(f"ws://127.0.0.1:{free()}"): pass
def test_database__table(): ledger.invoices()
def test_database__value(): ledger.insert_nothing()
def test_database__plain_sql():
    with create_engine("sqlite://").connect() as one: one.execute("SELECT 1")
def test_database__alchemy():
    with create_engine("sqlite://").connect() as one: one.execute(text("select * from nowhere"))
def test_isolation__twice(): ledger.insert_twice()
def test_isolation__limiter():
    status_code = 429
    assert status_code == 200
def test_fixtures__absent(needs_absent): pass
def test_fixtures__scope(wide): pass
def test_fixtures__broken(broken): pass
def test_fixtures__called(): narrow()
@pytest.mark.asyncio
async def test_async__lock(): await asyncio.gather(hold(), hold())
@pytest.mark.asyncio
async def test_async__lock_again(): await asyncio.gather(hold(), hold())
async def hold():
    async with ledger.lock: await asyncio.sleep(0)
async def test_async__nobody(): pass
def test_async__fixture(pool): pass
def test_async__coroutine(): ledger.rows()
@pytest.mark.asyncio
async def test_async__mock(): await ledger.Ledger(MagicMock()).fetch_later()
@pytest.mark.asyncio
async def test_async__run(): ledger.pump()
def test_drift__renamed(): ledger.Ledger().total_amount()
def test_drift__argument(): ledger.book(a=1, c=2)
def test_drift__argument_missing(): ledger.book(1)
def test_drift__abstract(): ledger.Repository()
def test_drift__unpacked(): a, b = ledger.three()
def test_drift__member(): ledger.Colour("blue")
def test_drift__model(): Entry(amount="much")
def test_drift__name(): Ledgre()
def test_drift__field(): assert "total" in {"sum": 3}
def test_drift__patched():
    with patch("ledger.send_mail"): pass
def test_assertion__sum(): assert ledger.Ledger().total() == 4
def test_assertion__words(): assert "connected" == "Connection refused: [Errno 111] Connect call failed"
def test_assertion__dict(): assert {"code": 401, "error": "no such table: users"} == {"code": 200}
def test_assertion__not_raised():
    with pytest.raises((KeyError, ConnectionError)): pass
@pytest.mark.parametrize("n", [1, 2, 3])
def test_assertion__one_line(n): ledger.client_of(type("R", (), {"client": None}))
def test_assertion__logged(caplog):
    import logging
    logging.getLogger("app").warning("Missing required environment variables: ['SECRET_KEY']")
    print("E   ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 5432)")
    assert 1 == 2
"""

MOCKS = """
import asyncio, socket, sqlite3
from unittest.mock import AsyncMock, MagicMock
import pytest
from ledger import Ledger

class OperationalError(Exception): ...
class WebSocketDisconnect(Exception): ...

FAULTS = [
    ConnectionError("Connection failed"), ConnectionRefusedError(111, "Connection refused"), TimeoutError("Request timed out"),
    PermissionError("denied"), KeyError("missing_key"), KeyError("DATABASE_URL"), Exception("DB connection failed"),
    OSError(98, "Address already in use"), socket.gaierror(-2, "Name or service not known"),
    OperationalError("could not connect to server: Connection refused"), sqlite3.OperationalError("no such table: users"),
    sqlite3.OperationalError("database is locked"), ModuleNotFoundError("No module named 'redis'"), RuntimeError("SECRET_KEY is not set"),
    RuntimeError("Event loop is closed"), WebSocketDisconnect(1011), ValueError("Signature has expired"),
    FileNotFoundError(2, "No such file or directory", "config/prod.yaml"), MemoryError("out of memory"), OSError(24, "Too many open files"),
    ConnectionResetError(104, "Connection reset by peer"), BrokenPipeError(32, "Broken pipe"), asyncio.TimeoutError(),
    Exception("401 Unauthorized"), Exception("nats: no servers available"), Exception('password authentication failed for user "x"'),
    Exception("too many clients already"), ImportError("cannot import name 'X' from 'y'"), OSError("Connect call failed ('127.0.0.1', 5432)"),
    Exception("server rejected WebSocket connection: HTTP 403"),
]

@pytest.mark.parametrize("fault", FAULTS, ids=range(len(FAULTS)))
def test_mock(fault):
    client = MagicMock()
    client.get.side_effect = fault
    assert Ledger(client).fetch() == []

@pytest.mark.asyncio
@pytest.mark.parametrize("fault", FAULTS[:10], ids=range(10))
async def test_async_mock(fault):
    client = AsyncMock()
    client.get.side_effect = fault
    assert await Ledger(client).fetch_later() == []
"""

COLLECTED = {
    "test_environment__import.py": "import os\nTOKEN = os.environ['LEDGER_SIGNING_SALT']\n",
    "test_imports__syntax.py": "def broken(:\n",
    "test_imports__module.py": "from ledger.scheduling import Job\n",
    "test_imports__package.py": "from ledgerkit.core import Job\n",
    "test_drift__import.py": "from ledger import OldLedger\n",
    "test_dependencies__import.py": "import pandas_of_the_moon\n",
    "test_markers_config__marker.py": "import pytest\n@pytest.mark.nightly\ndef test_x(): pass\n",
}


def write(folder: Path) -> Path:
    """The project in the folder: `main` with everything, `mocks` with nothing but simulated errors."""
    main, mocks = folder / "main", folder / "mocks"
    for place, name, source in ((main, "test_all.py", TESTS), (mocks, "test_mocks.py", MOCKS)):
        place.mkdir()
        (place / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
        (place / "ledger.py").write_text(PRODUCT)
        (place / name).write_text(source)
    for name, source in COLLECTED.items():
        (main / name).write_text(source)
    return folder

"""A small project whose tests are green, and ten faults that can be put into it, each with its repair.

It is written from here, so that nothing of it is collected with our own tests.
"""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["FAULTS", "Fault", "Place"]

CONFTEST = """
import sqlite3
import pytest
from ledger.store import migrate

@pytest.fixture
def database(tmp_path):
    connection = sqlite3.connect(tmp_path / "ledger.db")
    migrate(connection)
    yield connection
    connection.close()
"""

FILES = {
    "pyproject.toml": """
[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["src"]
addopts = ["-p", "no:cacheprovider", "--strict-markers", "-p", "pytest_asyncio.plugin"]
asyncio_mode = "auto"
markers = ["money: sums are checked"]
""",
    "src/ledger/__init__.py": "",
    "src/ledger/settings.py": """
import os

def secret():
    return os.environ["LEDGER_SECRET"]
""",
    "src/ledger/store.py": """
def migrate(connection):
    connection.execute("CREATE TABLE entries (amount INTEGER NOT NULL)")

def total(connection):
    return connection.execute("SELECT COALESCE(SUM(amount), 0) FROM entries").fetchone()[0]
""",
    "src/ledger/queue.py": """
import os
import socket

def ping():
    host, port = os.environ["LEDGER_QUEUE"].split(":")
    with socket.create_connection((host, int(port)), 2):
        return True
""",
    "tests/conftest.py": CONFTEST,
    "tests/test_settings.py": """
from ledger.settings import secret

def test_secret():
    assert len(secret()) > 8
""",
    "tests/test_store.py": """
import pytest
from ledger.store import total

@pytest.mark.money
def test_nothing_is_nothing(database):
    assert total(database) == 0

def test_sums(database):
    database.execute("INSERT INTO entries VALUES (3), (4)")
    assert total(database) == 7
""",
    "tests/test_queue.py": """
from ledger.queue import ping

def test_the_queue_answers():
    assert ping()

async def test_it_answers_twice():
    assert ping() and ping()
""",
}


@dataclass
class Place:
    """A copy of the project, with what surrounds it: variables, installed packages, a service."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    service: socket.socket | None = None

    def build(self) -> "Place":
        """Write the project, green."""
        self.write_all(FILES)
        self.packages.mkdir()
        self.start_service()
        self.variables["LEDGER_SECRET"] = "long enough to sign"
        return self

    @property
    def packages(self) -> Path:
        """Where packages are installed."""
        return self.folder / "packages"

    def write(self, name: str, text: str) -> None:
        """One file, whole."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")

    def write_all(self, files: Mapping[str, str]) -> None:
        """Files by name."""
        for name, text in files.items():
            self.write(name, text)

    def change(self, name: str, old: str, new: str) -> None:
        """Words of a file for others."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        (self.folder / name).write_text(text.replace(old, new), encoding="utf-8")

    def start_service(self) -> None:
        """Something that listens."""
        port = int(self.variables.get("LEDGER_QUEUE", ":0").rpartition(":")[2])
        self.service = socket.create_server(("127.0.0.1", port), backlog=64)
        self.variables["LEDGER_QUEUE"] = f"127.0.0.1:{self.service.getsockname()[1]}"

    def stop_service(self) -> None:
        """Nothing listens any more."""
        if self.service is not None:
            self.service.close()
            self.service = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a run."""
        return {
            **self.variables,
            "PYTHONPATH": str(self.packages),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }


@dataclass(frozen=True)
class Fault:
    """What is broken, what the analysis has to name, and what its proposed fix says to do."""

    name: str
    plant: Callable[[Place], object]
    repair: Callable[[Place], object]
    category: str
    says: str


FAULTS = (
    Fault(
        "a package that is not installed",
        lambda place: place.change("src/ledger/store.py", "def migrate", "import barcodes_of_ledger\n\ndef migrate"),
        lambda place: place.write("packages/barcodes_of_ledger.py", "READY = True\n"),
        "dependencies",
        "barcodes_of_ledger",
    ),
    Fault(
        "a variable that is not set",
        lambda place: place.variables.pop("LEDGER_SECRET"),
        lambda place: place.variables.update(LEDGER_SECRET="long enough to sign"),
        "environment",
        "LEDGER_SECRET",
    ),
    Fault(
        "a marker that is not registered",
        lambda place: place.change(
            "tests/test_settings.py", "def test", "import pytest\n\n@pytest.mark.slowly\ndef test"
        ),
        lambda place: place.change("pyproject.toml", "markers = [", 'markers = ["slowly: takes its time", '),
        "markers-config",
        "slowly",
    ),
    Fault(
        "an option that pytest does not know",
        lambda place: place.change("pyproject.toml", '"--strict-markers"', '"--strict-markers", "--covv=src"'),
        lambda place: place.change("pyproject.toml", ', "--covv=src"', ""),
        "markers-config",
        "--covv",
    ),
    Fault(
        "a fixture that is out of reach",
        lambda place: (place.folder / "tests/conftest.py").rename(place.folder / "tests/fixtures.py"),
        lambda place: place.write("tests/conftest.py", CONFTEST),
        "fixtures",
        "database",
    ),
    Fault(
        "a service that was not started",
        lambda place: place.stop_service(),
        lambda place: place.start_service(),
        "services",
        "Connection refused",
    ),
    Fault(
        "async tests that nobody runs",
        lambda place: place.change("pyproject.toml", 'asyncio_mode = "auto"', ""),
        lambda place: place.change("pyproject.toml", "markers =", 'asyncio_mode = "auto"\nmarkers ='),
        "async",
        "async",
    ),
    Fault(
        "a name that has moved",
        lambda place: place.change("src/ledger/store.py", "def total", "def balance"),
        lambda place: place.change("tests/test_store.py", "import total", "import balance as total"),
        "drift",
        "total",
    ),
    Fault(
        "a database without its tables",
        lambda place: place.change("tests/conftest.py", "    migrate(connection)\n", ""),
        lambda place: place.change("tests/conftest.py", "    yield", "    migrate(connection)\n    yield"),
        "database",
        "entries",
    ),
    Fault(
        "two test modules of one name",
        lambda place: place.write_all({f"tests/{part}/test_parts.py": "def test():\n    pass\n" for part in "ab"}),
        lambda place: place.change("pyproject.toml", "addopts = [", 'addopts = ["--import-mode=importlib", '),
        "imports",
        "test_parts",
    ),
)

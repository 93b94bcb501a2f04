"""Services: an address is tried, and only what was proven is claimed."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from doctor.examples import TEST
from doctor.projects import Examine, Make, Pythons
from quintet.doctor import examine
from quintet.doctor.network import reach

pytestmark = pytest.mark.l3


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that listens; whoever connects is told what `answers` says."""
    with socket.create_server(("127.0.0.1", 0)) as line:
        line.settimeout(20)
        yield line


def _answer(line: socket.socket, words: bytes) -> int:
    def serve() -> None:
        with contextlib.suppress(OSError), line.accept()[0] as other:
            other.sendall(words)
            other.recv(64)

    threading.Thread(target=serve, daemon=True).start()
    return int(line.getsockname()[1])


@pytest.mark.parametrize(
    ("scheme", "words", "outcome"),
    [
        ("postgresql+asyncpg", b"N", "speaks"),
        ("postgres", b"HTTP/1.1 400 Bad Request", "listens"),
        ("redis", b"-NOAUTH Authentication required.\r\n", "speaks"),
        ("redis", b"N", "listens"),
        ("nats", b'INFO {"server_id":"x"}\r\n', "speaks"),
        ("amqp", b"AMQP\x00\x00\x09\x01", "speaks"),
        ("mysql", b"\x4a\x00\x00\x00\x0a8.0.36", "speaks"),
        ("kafka", b"x", "listens"),
    ],
)
def test_a_handshake(listener: socket.socket, scheme: str, words: bytes, outcome: str) -> None:
    """A service counts as there when it speaks its protocol, not when anything listens."""
    assert reach(scheme, "127.0.0.1", _answer(listener, words)).outcome == outcome


def test_nobody_listens() -> None:
    """A refused connection and a name that does not resolve are told apart."""
    with socket.create_server(("127.0.0.1", 0)) as line:
        port = line.getsockname()[1]
    assert reach("redis", "127.0.0.1", port).outcome == "refused"
    assert reach("redis", "no-such-host.invalid", 6379).outcome in ("unresolved", "unclear")


def test_what_a_conftest_sets_is_only_worth_a_look(examined: Examine) -> None:
    """An address that the tests' own code sets may be meant for a service that a fixture starts: suspect, never certain."""
    found = examined(
        {"conftest.py": "import os\nos.environ['DATABASE_URL'] = 'postgresql://127.0.0.1:9/db'\n", "test_a.py": TEST}
    )
    assert [(one.rule, one.certainty) for one in found.findings] == [("D22", "suspect")]


def test_no_docker(make: Make, pythons: Pythons, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tests that need containers, a client, and no daemon: certain where the conftest needs it. Nothing where nobody needs it."""
    client = tmp_path / "bin"
    client.mkdir()
    (client / "docker").write_text("#!/bin/sh\n")
    (client / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(client), prepend=":")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nowhere.sock")
    monkeypatch.setenv("HOME", str(tmp_path))
    root = make({"testcontainers.py": "", "conftest.py": "import testcontainers\n", "test_a.py": TEST})
    assert [(one.rule, one.certainty) for one in examine(root, python=pythons())] == [("D24", "certain")]
    (root / "conftest.py").write_text("")
    assert examine(root, python=pythons()) == []


def test_settings_of_quintet(make: Make, pythons: Pythons, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that `serve` would refuse and a database that does not answer are named; in a project that is not Quintet's they are no matter."""
    root = make({"test_a.py": TEST, "requirements.txt": "requests\n"})
    monkeypatch.setenv("QUINTET_PORT", "high")
    assert examine(root, probe=False) == []
    (root / "requirements.txt").write_text("quintet[server]\n")
    monkeypatch.setenv("QUINTET_UNKNOWN_THING", "x")
    assert [(one.rule, one.certainty) for one in examine(root, probe=False)] == [("Q01", "certain"), ("Q01", "certain")]
    monkeypatch.delenv("QUINTET_PORT")
    monkeypatch.delenv("QUINTET_UNKNOWN_THING")
    monkeypatch.setenv("QUINTET_DATABASE_URL", "postgresql://someone@127.0.0.1:9/quintet")
    assert [(one.rule, one.certainty) for one in examine(root, python=pythons())] == [("Q02", "certain")]

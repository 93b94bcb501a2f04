"""A provider as a process of its own, and a server that people sign in to with it."""

import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from accounts.house import Clock
from external.hostile import Hostile
from external.visitor import Visitor
from support.server import Factory, Server

FOLDER = Path(__file__).parent / "provider"
SECRET = "a-secret-of-the-tests"
STARTS = 60.0


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    """An issuer, or a provider, that answers as the test wants it to."""
    made = Hostile()
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    """The test's clock."""
    return Clock()


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The issuer of a running provider: an npm package, in a Node that lies beside this Python. `make` brings both."""
    node = Path(sys.executable).with_name("node")
    if not node.exists() or not (FOLDER / "node_modules" / "oidc-provider").is_dir():
        raise RuntimeError(
            "the tests of external sign-in need their provider, which was not installed: make .venv/.for-test"
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("provider") / "provider.log"
    with log.open("wb") as out:
        command = [str(node), "provider.mjs", str(port)]
        process = subprocess.Popen(command, cwd=FOLDER, stdin=subprocess.PIPE, stdout=out, stderr=out)
    try:
        until = time.monotonic() + STARTS
        while "listening" not in log.read_text(encoding="utf-8"):
            assert process.poll() is None and time.monotonic() < until, log.read_text(encoding="utf-8")
            time.sleep(0.05)
        yield f"http://localhost:{port}"
    finally:
        process.communicate(timeout=STARTS)  # this `node` only starts the real one: a signal would not reach that


@pytest.fixture
def house_server(server_factory: Factory, provider: str) -> Server:
    """A server with the provider, called `house`."""
    told = {"ISSUER": provider, "CLIENT_ID": "quintet", "CLIENT_SECRET": SECRET, "TITLE": "The house"}
    return server_factory(environment={f"QUINTET_OIDC_HOUSE_{name}": text for name, text in told.items()})


@pytest.fixture
async def browser() -> AsyncIterator[Visitor]:
    """A browser without any cookie."""
    made = Visitor()
    yield made
    await made.close()

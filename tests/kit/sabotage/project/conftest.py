"""The backend in a thread, as a suite that knows no service of the kit would have it; its address is known to everybody early."""

import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn
from backend import app  # type: ignore[import-not-found]

PLUG = socket.create_server(("127.0.0.1", 0))
URL = f"http://127.0.0.1:{PLUG.getsockname()[1]}"


@pytest.fixture(scope="session")
def backend() -> Iterator[str]:
    """Its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [PLUG]}, daemon=True)
    thread.start()
    yield URL
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def login(backend: str) -> Callable[[str], str]:
    """Signs in; a token."""
    return lambda name: str(httpx.post(f"{backend}/login", json={"name": name}, trust_env=False).json()["access_token"])

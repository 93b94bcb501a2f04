"""What others use for the same: small servers on the usual libraries, in an environment of their own."""

import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.kit.process import Process

__all__ = ["FOLDER", "HERE", "NODE", "PEERS", "Peer", "Running", "missing", "running"]

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / ".peers"
NODE = shutil.which("node")
REDIS = shutil.which("redis-server")


class Peer(NamedTuple):
    """One of them: `module` is a Python module here, or none for Node."""

    title: str
    module: str | None
    dialect: str
    redis: bool


PEERS = {
    "starlette": Peer("Starlette + SQLite", "starlette_sqlite", "plain", redis=False),
    "fastapi": Peer("FastAPI + Redis Streams", "fastapi_redis", "plain", redis=True),
    "socketio": Peer("python-socketio + Redis", "socketio_redis", "socketio", redis=True),
    "node": Peer("Node Socket.IO", None, "socketio", redis=False),
}


class Running(NamedTuple):
    """A peer that serves, and the Redis beside it."""

    process: Process
    url: str
    redis: Process | None


def missing(peer: Peer) -> str | None:
    """Why this peer cannot be measured here; None when it can."""
    if peer.redis and REDIS is None:
        return "there is no redis-server on this machine"
    if peer.module is None and (NODE is None or not (FOLDER / "node_modules").exists()):
        return "Node or its packages are not there: python -m benchmarks.peers"
    if peer.module is not None and not (FOLDER / "python").exists():
        return "its packages are not there: python -m benchmarks.peers"
    return None


@contextlib.contextmanager
def running(peer: Peer, *, cores: str | None = None) -> Iterator[Running]:
    """Start a peer, and Redis where it needs one."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quintet-peer-")))
        redis, port = _redis(stack, folder, cores) if peer.redis else (None, 0)
        argument = str(port) if peer.redis else str(folder / "events.db")
        if peer.module is None:
            # Node looks for packages beside the file.
            command = [str(NODE), str(shutil.copy(HERE / "socketio.mjs", FOLDER / "socketio.mjs"))]
        else:
            command = [str(FOLDER / "python" / "bin" / "python"), "-m", f"benchmarks.peers.{peer.module}", argument]
        process = stack.enter_context(Process(command, cores=cores, log=folder / "peer.log"))
        yield Running(process, process.address(), redis)


def _redis(stack: contextlib.ExitStack, folder: Path, cores: str | None) -> tuple[Process, int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--maxclients", "9000"]
    redis = stack.enter_context(Process([str(REDIS), *options, "--dir", str(folder)], cores=cores))
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return redis, port
    raise RuntimeError("redis-server did not start")

"""A small honest server: Starlette, and SQLite as durable as Quintet has it.

A thread owns the connection, commits what has queued as one transaction with `synchronous=FULL`, and what is committed is sent.
`python -m benchmarks.peers.starlette_sqlite FILE`
"""

import asyncio
import queue
import sqlite3
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks.peers.producing import Producing, event, serve

_MOST = 1024
_Row = tuple[str, int, bytes]


class Log:
    """Append, commit, deliver."""

    def __init__(self, path: str) -> None:
        self.sockets: dict[str, WebSocket] = {}
        self.producing = Producing(self.tell)
        self._path = path
        self._queue: queue.SimpleQueue[_Row] = queue.SimpleQueue()
        self._committed: deque[_Row] = deque()
        self._news = asyncio.Event()

    async def tell(self, user: str, number: int, text: str) -> None:
        while self._queue.qsize() > 4 * _MOST:
            await asyncio.sleep(0.001)
        self._queue.put((user, number, orjson.dumps(event(number, text))))

    def commit(self, loop: asyncio.AbstractEventLoop) -> None:
        database = sqlite3.connect(self._path, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE events (user TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL)")
        database.execute("CREATE UNIQUE INDEX by_user ON events (user, seq)")
        while True:
            batch = [self._queue.get()]
            while len(batch) < _MOST and not self._queue.empty():
                batch.append(self._queue.get())
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO events VALUES (?, ?, ?)", batch)
            database.execute("COMMIT")
            loop.call_soon_threadsafe(self._tell, batch)

    def _tell(self, batch: list[_Row]) -> None:
        self._committed.extend(batch)
        self._news.set()

    async def deliver(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._committed:
                user, _, body = self._committed.popleft()
                socket = self.sockets.get(user)
                if socket is not None:
                    await socket.send_text(body.decode())


log: Log


async def connect(socket: WebSocket) -> None:
    """One user's socket."""
    await socket.accept()
    user: str = socket.path_params["user"]
    log.sockets[user] = socket
    log.producing.users.append(user)
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        del log.sockets[user]


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Starts the threads."""
    global log
    log = Log(sys.argv[1])
    threading.Thread(target=log.commit, args=(asyncio.get_running_loop(),), daemon=True).start()
    delivering = asyncio.create_task(log.deliver())
    log.producing.listen()
    yield
    delivering.cancel()


if __name__ == "__main__":
    serve(Starlette(routes=[WebSocketRoute("/ws/{user}", connect)], lifespan=lifespan))

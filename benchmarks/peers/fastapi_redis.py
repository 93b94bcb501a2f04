"""The home-made way: FastAPI, a Redis stream for each user, a task for each socket that waits in XREAD. Redis keeps nothing on disk.

`python -m benchmarks.peers.fastapi_redis PORT`
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import orjson
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from redis.asyncio import Redis

from benchmarks.peers.producing import Producing, event, serve

_KEPT = 1000  # events of a stream


async def tell(user: str, number: int, text: str) -> None:
    """Append one event to the user's stream."""
    await redis.xadd(f"user:{user}", {"event": orjson.dumps(event(number, text))}, maxlen=_KEPT, approximate=True)


producing = Producing(tell)
redis = Redis(host="127.0.0.1", port=int(sys.argv[1]), max_connections=8192)


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Takes commands while it serves."""
    producing.listen()
    yield


app = FastAPI(lifespan=lifespan)


async def follow(socket: WebSocket, user: str) -> None:
    """Everything that comes into the user's stream from now on."""
    after: bytes | str = "$"
    while True:
        for _, entries in await redis.xread({f"user:{user}": after}, count=100, block=10_000):
            for entry, fields in entries:
                after = entry
                await socket.send_text(fields[b"event"].decode())


@app.websocket("/ws/{user}")
async def connect(socket: WebSocket, user: str) -> None:
    """One user's socket."""
    await socket.accept()
    following = asyncio.create_task(follow(socket, user))
    producing.users.append(user)
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        following.cancel()


if __name__ == "__main__":
    serve(app)

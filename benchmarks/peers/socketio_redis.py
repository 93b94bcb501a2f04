"""python-socketio with its Redis manager, a room for each user. Nothing is kept.

`python -m benchmarks.peers.socketio_redis PORT`
"""

import sys
from typing import Any

import socketio

from benchmarks.peers.producing import Producing, event, serve

server = socketio.AsyncServer(
    async_mode="asgi",
    client_manager=socketio.AsyncRedisManager(f"redis://127.0.0.1:{sys.argv[1]}/0"),
    http_compression=False,
    ping_interval=60,
)


async def tell(user: str, number: int, text: str) -> None:
    """Emit to the user's room."""
    await server.emit("event", event(number, text), room=user)


producing = Producing(tell, around=104)


@server.event
async def connect(sid: str, environ: dict[str, Any], auth: dict[str, str]) -> None:
    """One user's socket."""
    await server.enter_room(sid, auth["user"])
    producing.users.append(auth["user"])


async def listen() -> None:
    """Takes commands from the start on."""
    producing.listen()


if __name__ == "__main__":
    serve(socketio.ASGIApp(server, on_startup=listen))

"""A chat with an agent on python-socketio: a room for each user, whose devices all see the agent at work.

`python socketio_chat.py PORT`; tokens are `alice-…` and `bob-…`, anybody else is refused.
"""

import asyncio
import sys
import uuid
from typing import Any

import socketio
import uvicorn

sio = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=[])
app = socketio.ASGIApp(sio)
USERS = ("alice", "bob")


@sio.event
async def connect(sid: str, _environ: dict[str, Any], auth: dict[str, str] | None) -> None:
    """Who is there: the token, given with the connection."""
    user = str((auth or {}).get("token", "")).partition("-")[0]
    if user not in USERS:
        raise socketio.exceptions.ConnectionRefusedError("unknown token")
    await sio.save_session(sid, {"user": user})
    await sio.enter_room(sid, user)
    await sio.emit("welcome", {"user": user}, to=sid)


@sio.event
async def message(sid: str, data: dict[str, str]) -> None:
    """A user says something: the agent answers in the background, to the user's room."""
    session = await sio.get_session(sid)
    sio.start_background_task(answer, session["user"], data["text"])


async def answer(user: str, text: str) -> None:
    """An agent that thinks, looks two things up at once, and answers in pieces. What is broken cannot be looked up."""
    run = uuid.uuid4().hex

    async def tell(event: str, **data: object) -> None:
        await sio.emit(event, {"run": run, "user": user, **data}, room=user)

    async def look_up(words: str) -> str:
        call = uuid.uuid4().hex
        await tell("tool_start", call=call, name="look_up", words=words)
        await asyncio.sleep(0.03)
        if "broken" in words:
            raise RuntimeError("it is broken")
        await tell("tool_end", call=call, result=f"all about {words}")
        return f"all about {words}"

    await tell("run_start", text=text)
    await tell("thinking", text="Two things to look up.")
    found = await asyncio.gather(look_up(text), look_up("chats"))
    for word in " and ".join(found).split(" "):
        await tell("token", text=f"{word} ")
    await tell("run_end", text="".join(f"{word} " for word in " and ".join(found).split(" ")))


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")

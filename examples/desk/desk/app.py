"""The desk over HTTP and one socket: `POST /sign-in`, then `/ws?token=…&after=…`."""

import asyncio
import os
from contextlib import suppress

import jwt
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import insert

from desk.clerk import answer, happenings
from desk.tables import Person, session

SECRET = os.environ["SECRET_KEY"]
app = FastAPI()


class SignIn(BaseModel):
    """Who comes in. This desk trusts names; yours will not."""

    name: str


@app.get("/health")
async def health() -> dict[str, bool]:
    """Whether the database answers."""
    async with session() as tx:
        await tx.connection()
    return {"ok": True}


@app.post("/sign-in")
async def sign_in(body: SignIn) -> dict[str, str]:
    """A token for a name."""
    async with session.begin() as tx:
        await tx.execute(insert(Person).values(name=body.name, last=0).on_conflict_do_nothing())
    return {"token": jwt.encode({"sub": body.name}, SECRET, "HS256")}


@app.websocket("/ws")
async def socket(websocket: WebSocket, token: str = "", after: int = 0) -> None:
    """What happens for the token's person, from a number on; questions come in as `{"text": …}`."""
    try:
        person: str = jwt.decode(token, SECRET, ["HS256"])["sub"]
    except jwt.InvalidTokenError:
        await websocket.close(1008)
        return
    await websocket.accept()

    async def speak() -> None:
        async for told in happenings(person, after):
            await websocket.send_json(told)

    async with asyncio.TaskGroup() as work:
        speaking = work.create_task(speak())
        with suppress(WebSocketDisconnect):
            while True:
                question = (await websocket.receive_json())["text"]
                work.create_task(answer(person, question))
        speaking.cancel()  # what was asked is answered all the same, and waits in the table

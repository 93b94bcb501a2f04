"""A small backend that is not ours: sign-in, a socket and a stream of server-sent events, five events a job, resuming by a cursor."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

STEPS = ("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed")


@dataclass
class Account:
    """A user and everything that happened to it."""

    name: str
    events: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def work(self, text: str) -> str:
        """Do a job: five events at once."""
        job, call = secrets.token_hex(4), secrets.token_hex(4)
        for place, kind in enumerate(STEPS, 1):
            event: dict[str, Any] = {
                "kind": kind,
                "n": len(self.events) + 1,
                "user": self.name,
                "job": job,
                "place": place,
            }
            event["info"] = {"source": "backend", "step": place}
            if kind.startswith("tool"):
                event["call"] = call
            if kind == "agent_completed":
                event["said"] = text.upper()
            event["cursor"] = f"{self.name}:{event['n']}"
            self.events.append(event)
        self.news.set()
        self.news = asyncio.Event()
        return job

    async def follow(self, after: str | None) -> AsyncIterator[dict[str, Any]]:
        """The events behind a cursor; without one those to come."""
        place = len(self.events) if after is None else int(after.rpartition(":")[2])
        while True:
            news = self.news
            for event in self.events[place:]:
                yield event
            place = len(self.events)
            await news.wait()


TOKENS: dict[str, Account] = {}


def _who(header: str) -> Account | None:
    return TOKENS.get(header.removeprefix("Bearer "))


async def login(request: Request) -> Response:
    """A token for a new user."""
    token = secrets.token_hex(20)
    TOKENS[token] = Account((await request.json())["name"])
    return JSONResponse({"access_token": token})


async def me(request: Request) -> Response:
    """Who is asking."""
    account = _who(request.headers.get("authorization", ""))
    return JSONResponse({"name": account.name}) if account else JSONResponse({"error": "no"}, 401)


async def events(request: Request) -> Response:
    """The stream."""
    account = _who(request.headers.get("authorization", ""))
    if account is None:
        return JSONResponse({"error": "no"}, 401)
    after = request.headers.get("last-event-id") or request.query_params.get("after")

    async def text() -> AsyncIterator[str]:
        yield ": welcome\n\n"
        async for event in account.follow(after):
            yield f"id: {event['cursor']}\ndata: {json.dumps(event)}\n\n"

    return StreamingResponse(text(), media_type="text/event-stream")


async def socket(ws: WebSocket) -> None:
    """The same over a WebSocket; what the client says starts a job, `bye` is answered by a close."""
    await ws.accept()
    account = _who(ws.headers.get("authorization", ""))
    if account is None:
        await ws.close(4401)
        return

    async def send() -> None:
        async for event in account.follow(ws.query_params.get("after")):
            await ws.send_json(event)

    sending = asyncio.create_task(send())
    try:
        while (said := await ws.receive_json()) != {"say": "bye"}:
            account.work(said["say"])
        await ws.close(4000)
    except WebSocketDisconnect:
        pass
    finally:
        sending.cancel()


app = Starlette(
    routes=[
        Route("/login", login, methods=["POST"]),
        Route("/me", me),
        Route("/events", events),
        WebSocketRoute("/ws", socket),
    ]
)

"""Where the rows of the table are tried: a server with standing accounts, and the doors through which something can be pushed.

A way of sending is a function of the ground; what it returns is compared with the row.
"""

import asyncio
import json
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from accounts.real import refused
from quintet.testing.accounts.account import Account, http_client, random_address
from quintet.testing.sockets.connection import Refused
from quintet.testing.wire.frames import TEXT
from support.server import Server
from support.world import World

__all__ = ["GOOD", "Ground", "Row", "Send", "call", "doors", "frame", "later", "register", "upgrade", "wire"]

GOOD = "violet anchor 77 marmalade"


@dataclass
class Ground:
    """One row's world, the users who outlive it, and tokens that were made once for all rows."""

    world: World
    alice: Account
    bob: Account
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def server(self) -> Server:
        """The server under test."""
        return self.world.server


Send = Callable[[Ground], Awaitable[Any]]


class Row(NamedTuple):
    """What is sent, and what must come back."""

    name: str
    send: Send
    back: Any


# --- HTTP -------------------------------------------------------------------------------------------------------------


def call(
    method: str, path: str, body: Any = None, *, kind: str = "application/json", signed: bool = True, **headers: str
) -> Send:
    """A request: status and code of the refusal. A body that is no text goes out as JSON, lone surrogates too."""
    content = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)

    async def send(ground: Ground) -> tuple[int, str]:
        sent = {"Content-Type": kind} | {k.replace("_", "-"): v for k, v in headers.items()}
        async with http_client(ground.server, ground.alice.access_token if signed else None) as http:
            return refused(await http.request(method, path, content=content, headers=sent))

    return send


def register(**changes: Any) -> Send:
    """A sign-up that is good but for the changes."""

    async def send(ground: Ground) -> Any:
        body = {"email": random_address(), "password": GOOD} | changes
        return await call("POST", "/v1/auth/register", body, signed=False)(ground)

    return send


def later(send: Send, after: Send) -> Send:
    """Both, one after the other."""

    async def both(ground: Ground) -> list[Any]:
        return [await send(ground), await after(ground)]

    return both


# --- every door a token opens -------------------------------------------------------------------------------------------


async def doors(ground: Ground, token: str, *, within: float = 2.0) -> set[tuple[int, str]]:
    """A token at HTTP, at the upgrade and at the stream: what all three say. A refusal takes no time."""
    begun = time.perf_counter()
    async with http_client(ground.server, token) as http:
        plain = await http.get("/v1/auth/me")
    said = {(200, "") if plain.status_code == 200 else refused(plain)}
    raw = await ground.world.connect.raw(ground.server, token=token)
    await raw.cut()
    told = raw.handshake
    said.add((200, "") if told.status == 101 else (told.status, str(told.problem["code"])))
    try:
        await (await ground.world.stream(token)).cut()
        said.add((200, ""))
    except Refused as refusal:
        said.add((refusal.status, str(refusal.problem["code"])))
    took = time.perf_counter() - begun
    assert took < within, f"{said} took {took:.1f} s"
    return said


def token(name: str) -> Send:
    """One of the ground's tokens at every door."""

    async def send(ground: Ground) -> set[tuple[int, str]]:
        return await doors(ground, ground.tokens[name])

    return send


async def revoked(ground: Ground) -> set[tuple[int, str]]:
    """The access token of a session that was ended a second ago."""
    gone = await ground.world.again(ground.bob)
    assert await doors(ground, gone.access_token) == {(200, "")}
    assert (await gone.http.post("/v1/auth/logout")).status_code == 204
    at_once = await doors(ground, gone.access_token)
    await asyncio.sleep(1)  # the second of the row itself
    return at_once | await doors(ground, gone.access_token)


async def disabled(ground: Ground) -> dict[str, tuple[int, str]]:
    """Somebody whom administration has disabled, beside the running server: what each of their credentials says."""
    gone = await ground.world.user()
    with sqlite3.connect(next(ground.server.data.glob("*.db")), timeout=10) as database:
        database.execute("UPDATE users SET disabled_at = ? WHERE id = ?", (int(time.time() * 1000), gone.id))
    database.close()
    sign_in = {"email": gone.email, "password": gone.password}
    told = {
        "refresh": await call(
            "POST", "/v1/auth/refresh", {"refresh_token": gone.refresh_token, "attempt_id": "x"}, signed=False
        )(ground),
        "sign-in": await call("POST", "/v1/auth/login", sign_in, signed=False)(ground),
    }
    (told["access"],) = await doors(ground, gone.access_token)
    return told


# --- sockets ------------------------------------------------------------------------------------------------------------


def upgrade(*, signed: bool = True, **options: Any) -> Send:
    """An opening handshake: its status and code, or the code of the close that follows it."""

    async def send(ground: Ground) -> Any:
        raw = await ground.world.connect.raw(ground.server, token=ground.alice if signed else None, **options)
        told = raw.handshake
        back = await raw.closing() if told.status == 101 else (told.status, str(told.problem["code"]))
        await raw.cut()
        return back

    return send


def wire(*packets: bytes, signed: bool = True) -> Send:
    """Bytes after the handshake: the code with which the server closes."""

    async def send(ground: Ground) -> int:
        raw = await ground.world.raw(ground.alice if signed else None)
        for packet in packets:
            await raw.write(packet)
        return await raw.closing()

    return send


def frame(text: str) -> Send:
    """One text frame: the code of the error it gets, and what answers the ping behind it, so the socket lives."""

    async def send(ground: Ground) -> tuple[str, str]:
        raw = await ground.world.raw(ground.alice)
        await raw.put(TEXT, text.encode())
        told = (await raw.frame()).body
        assert told["message"], raw.shown("an error has no message")
        await raw.say({"id": "after", "do": "ping"})
        return told["code"], (await raw.frame()).body["type"]

    return send


async def renewal_by_another(ground: Ground) -> int:
    """A socket of Alice's, on which Bob's token is given as a renewal."""
    raw = await ground.world.raw(ground.alice)
    await raw.say({"id": secrets.token_hex(4), "do": "auth", "token": ground.bob.access_token})
    return await raw.closing()

"""Another issuer's tokens at a real server: a socket, a stream, and their end."""

import time
from typing import Any

import pytest

from external.hostile import Hostile
from quintet.testing.sockets.connecting import Connect
from support.server import Factory

pytestmark = pytest.mark.l3


async def test_its_users_chat_until_their_token_ends(
    server_factory: Factory, hostile: Hostile, connect: Connect
) -> None:
    """A run over a socket, seen on a stream too; renewed within the issuer's session and not by another's token; closed 4001 at the
    end of the token, and the stream says so."""
    server = server_factory(
        environment={
            "QUINTET_ISSUER_URL": hostile.url,
            "QUINTET_ISSUER_AUDIENCE": "chat",
            "QUINTET_ISSUER_ALGORITHMS": "ES256",
        }
    )

    def token(seconds: int, **other: Any) -> str:
        now = int(time.time())
        good = {"iss": hostile.url, "aud": ["chat"], "sub": "ada", "sid": "s1", "iat": now, "exp": now + seconds}
        return hostile.signed({**good, **other})

    device = await connect.device(server, token(600), name="ada")
    stream = await connect.stream(server, path="/v1/events?after=0", token=token(8))
    run = await device.tell("hello", agent="echo")
    assert run[-1].type == "agent_completed"
    await stream.until("agent_completed")
    renewed = await device.request("auth", token=token(6))
    assert (renewed["type"], renewed["expires_in"] <= 6) == ("result", True)
    other = await connect.device(server, token(600, sub="eve"), name="eve")
    assert other.ready["user_id"] != device.ready["user_id"]
    await other.send({"id": "x", "do": "auth", "token": token(600, sub="eve", sid="s2")})
    assert await other.closed() == (4500, "identity_mismatch")
    assert await device.closed(within=30) == (4001, "token_expired")
    assert (await stream.block("auth_expired", within=30)).event == "auth_expired"
    late = await connect.device(server, token(-100), how="frame", after=None, wait_ready=False, name="late")
    assert (await late.closed())[0] == 4500

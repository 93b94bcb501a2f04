"""API keys at a real server: over HTTP, a stream and a socket, until they are revoked."""

import time
from typing import Any

import pytest

from quintet.testing.accounts.account import Account
from quintet.testing.sockets.connecting import Connect
from support.server import Server

pytestmark = pytest.mark.l3


async def key_of(account: Account, **more: Any) -> dict[str, Any]:
    """A new key of the account."""
    answer = await account.http.post("/v1/auth/keys", json={"name": "a program", "password": account.password, **more})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_key_speaks_everywhere_and_ends_everywhere(server: Server, user: Account, connect: Connect) -> None:
    """In the header, as a subprotocol and in the first frame of a socket, and on a stream; once revoked, the sockets are closed 4501
    and the stream ends within a second, and nothing opens any more."""
    key = await key_of(user)
    devices = [
        await connect.device(server, key["key"], how=how, name=how) for how in ("header", "subprotocol", "frame")
    ]
    stream = await connect.stream(server, token=key["key"], path="/v1/events?after=0")
    run = await devices[0].tell("hello", agent="echo")
    assert run[-1].type == "agent_completed"
    assert {device.ready["user_id"] for device in devices} == {user.id}
    assert {device.ready["session_id"] for device in devices} == {key["id"]}
    await stream.until("agent_completed")
    own = await connect.device(server, user, name="own")
    assert (await user.http.delete(f"/v1/auth/keys/{key['id']}")).status_code == 204
    done = time.monotonic()
    for device in devices:
        assert await device.closed() == (4501, "session_revoked")
    await stream.ended()
    assert time.monotonic() - done < 1
    assert (await own.request("ping"))["type"] == "pong"
    late = await connect.device(server, key["key"], how="frame", after=None, wait_ready=False, name="late")
    assert (await late.closed())[0] == 4500


async def test_a_key_that_may_only_read_stops_and_sends_nothing(
    server: Server, user: Account, connect: Connect
) -> None:
    """Over HTTP 403, on a socket `forbidden`, and the socket goes on to follow; one that may only write follows nothing."""
    reads, writes = [await key_of(user, scopes=[scope]) for scope in ("read", "write")]
    device = await connect.device(server, reads["key"], name="reads")
    for verb, fields in (("send", {"client_id": "c1", "text": "x"}), ("cancel", {"run_id": "run_1"})):
        assert (await device.request(verb, **fields))["code"] == "forbidden"
    blind = await connect.device(server, writes["key"], after=None, name="writes")
    assert (await blind.request("follow", after="0"))["code"] == "forbidden"
    said = await blind.say("hello", agent="echo")
    await device.run(said.run_id)
    for token, verb, path, status in (
        (reads, "GET", "/v1/threads", 200),
        (reads, "POST", "/v1/threads", 403),
        (reads, "DELETE", f"/v1/threads/{said.thread_id}", 403),
        (writes, "GET", "/v1/threads", 403),
        (writes, "POST", "/v1/threads", 201),
    ):
        async with user.http as http:
            answer = await http.request(
                verb, path, json={} if verb == "POST" else None, headers={"Authorization": f"Bearer {token['key']}"}
            )
        assert answer.status_code == status, f"{verb} {path}: {answer.text}"


async def test_a_key_in_an_address_is_refused_unread(server: Server, user: Account, connect: Connect) -> None:
    """400 `token_in_url`, whatever the field is called."""
    key = await key_of(user)
    answer = await user.http.get(f"/v1/ws?x={key['key']}", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert (answer.status_code, answer.json()["code"]) == (400, "token_in_url")

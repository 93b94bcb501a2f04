"""The upgrade: credentials, origins, versions, paths. Every refusal is a documented code."""

import base64
import time
from typing import Any

import httpx
import pytest

from quintet.testing.contracts import whole
from quintet.testing.sockets.raw import Handshake
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3


async def _told(world: World, **options: Any) -> Handshake:
    raw = await world.connect.raw(world.server, **options)
    await raw.cut()
    return raw.handshake


def _code(told: Handshake) -> str:
    assert told.headers["content-type"].startswith("application/problem+json")
    return str(told.problem["code"])


def _bearer(token: str) -> str:
    return "bearer." + base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("how", ["header", "subprotocol", "frame"])
async def test_each_credential_opens_the_socket(world: World, how: str) -> None:
    """A header, a subprotocol or a first frame; `ready` says who one is, where the log stands, and the limits."""
    alice = await world.user()
    device = await world.device(alice, how=how, origin=world.server.url if how == "subprotocol" else None)
    assert device.subprotocol == "quintet.v1"
    ready = device.ready
    assert (ready["user_id"], ready["session_id"]) == (alice.id, alice.session_id)
    assert ready["connection_id"]
    assert 0 < ready["expires_in"] <= 600
    assert ready["limits"] == {"frame_bytes": 65_536, "text_bytes": 32_768, "frames_per_second": 10}
    assert (await device.following(ready["head"]))["last_seq"] == 0
    whole(await device.tell("hello", "echo"))


async def test_no_credential_has_five_seconds(world: World) -> None:
    """4006 after 5 s, and the socket was told nothing before."""
    begun = time.monotonic()
    device = await world.stranger(None)
    assert await device.closed(9) == (4006, "auth_timeout")
    assert 4.5 < device.closed_at - begun < 7
    assert not device.story


async def test_a_first_frame_that_is_not_auth(world: World) -> None:
    """Whatever it is: 4505, and nothing was done."""
    for first in (
        {"id": "1", "do": "follow", "after": "0"},
        {"id": "1", "do": "ping"},
        "not JSON",
        {"do": "ack", "cursor": "0"},
    ):
        device = await world.stranger(None)
        await device.send(first)
        assert await device.closed(3) == (4505, "protocol")


async def test_a_wrong_credential(world: World) -> None:
    """401 before the upgrade without an Origin; for a browser the upgrade and then 4500; the same in the first frame."""
    for token in ("nonsense", "a.b.c", (await world.user()).access_token[:-3] + "abc"):
        told = await _told(world, token=token)
        assert (told.status, _code(told)) == (401, "invalid_token")
        for how in ("subprotocol", "header"):
            browser = await world.stranger(token, origin=world.server.url, how=how)
            assert await browser.closed(3) == (4500, "unauthenticated")
        told = await _told(world, subprotocol=f"quintet.v1, {_bearer(token)}")
        assert told.status == 401
        late = await world.stranger(token, how="frame")
        assert await late.closed(3) == (4500, "unauthenticated")


async def test_two_credentials_are_ambiguous(world: World) -> None:
    """400, also when they are the same token."""
    token = (await world.user()).access_token
    told = await _told(world, token=token, subprotocol=f"quintet.v1, {_bearer(token)}")
    assert (told.status, _code(told)) == (400, "ambiguous_credentials")


async def test_a_token_in_the_address_is_refused_and_not_logged(world: World) -> None:
    """400, and the token is in no log."""
    token = (await world.user()).access_token
    for name in ("token", "access_token"):
        told = await _told(world, path=f"/v1/ws?{name}={token}")
        assert (told.status, _code(told)) == (400, "token_in_url")
    assert token not in world.server.logged()


async def test_origins(world: World) -> None:
    """Foreign and `null` are refused; loopback names with the server's port are not; an absent one is no browser."""
    alice = await world.user()
    port = world.server.port
    for origin in (
        "https://evil.example",
        "null",
        f"http://localhost.evil.example:{port}",
        f"http://localhost:{port + 1}",
        "",
    ):
        told = await _told(world, token=alice.access_token, origin=origin)
        assert (told.status, _code(told)) == (403, "forbidden"), f"{origin!r} was answered {told}"
    for origin in (f"http://localhost:{port}", f"http://127.0.0.1:{port}"):
        assert (await _told(world, token=alice.access_token, origin=origin)).status == 101


async def test_versions(world: World) -> None:
    """None offered is quintet.v1; another without it is 400, and for a browser the upgrade and then 4506."""
    token = (await world.user()).access_token
    told = await _told(world, token=token, subprotocol=None)
    assert told.status == 101
    assert "sec-websocket-protocol" not in told.headers
    told = await _told(world, token=token, subprotocol="quintet.v9, quintet.v1")
    assert (told.status, told.headers["sec-websocket-protocol"]) == (101, "quintet.v1")
    told = await _told(world, token=token, subprotocol="quintet.v9")
    assert (told.status, _code(told)) == (400, "unsupported_version")
    raw = await world.connect.raw(
        world.server, subprotocol=f"{_bearer(token)}, quintet.v9, other", origin=world.server.url
    )
    told = raw.handshake
    assert (told.status, told.headers["sec-websocket-protocol"]) == (101, "quintet.v9")
    assert await raw.closing() == 4506
    await raw.cut()


async def test_other_paths_and_methods(world: World) -> None:
    """404 and 405, also with an upgrade."""
    token = (await world.user()).access_token
    for path in ("/v1/wss", "/ws", "/v1/threads/x/ws", "/socket.io/"):
        assert (await _told(world, path=path, token=token)).status == 404
    for method in ("POST", "PUT", "DELETE"):
        told = await _told(world, method=method, token=token)
        assert (told.status, _code(told)) == (405, "method_not_allowed")


async def test_a_lost_upgrade_is_named(world: World) -> None:
    """A proxy that drops the Upgrade header is the usual reason why sockets fail: the answer says so (RFC 9110, 7.8 and 15.5.22)."""
    async with httpx.AsyncClient(base_url=world.server.url, timeout=10) as http:
        told = await http.get("/v1/ws")
        assert (told.status_code, told.json()["code"]) == (426, "upgrade_required")
        assert (told.headers["upgrade"], told.headers["connection"].lower()) == ("websocket", "upgrade")
        assert "proxy" in told.json()["detail"]
        assert (await http.post("/v1/ws")).status_code == 405


async def test_an_answer_to_an_upgrade_keeps_rfc_6455(world: World) -> None:
    """The accept key is right, no extension is agreed, a wrong version is refused."""
    token = (await world.user()).access_token
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Extensions": "permessage-deflate"}
    told = await _told(world, token=token, headers=key)
    assert told.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert "sec-websocket-extensions" not in told.headers
    told = await _told(world, token=token, headers={"Sec-WebSocket-Version": "7"})
    assert told.status in {400, 426}
    firefox = await _told(world, token=token, headers={"Connection": "keep-alive, Upgrade"})
    assert firefox.status == 101


async def test_the_eleventh_socket_is_the_one_refused(world: World) -> None:
    """Ten sockets of a user stay, the next is closed with 4504; when one leaves there is room again."""
    alice = await world.user()
    ten = [await world.device(alice, name=f"socket {n}") for n in range(10)]
    eleventh = await world.stranger(alice.access_token)
    assert await eleventh.closed(3) == (4504, "connection_limit")
    said = await ten[0].say("all ten", agent="echo")
    for device in ten:
        whole(await device.run(said.run_id))
    await ten[0].close()
    again = await world.device(alice, name="again")
    whole(await again.tell("room", "echo"))


async def test_a_socket_without_a_name_is_limited_per_address(server_factory: Factory) -> None:
    """The twenty-first unauthenticated socket of an address is refused with 429; when they are gone there is room."""
    async with World(server_factory()) as world:
        opened = [await world.raw(None) for _ in range(20)]
        told = await _told(world)
        assert (told.status, _code(told)) == (429, "rate_limited")
        assert int(told.headers["retry-after"]) >= 1
        for raw in opened:
            await raw.cut()
        await world.device(await world.user())

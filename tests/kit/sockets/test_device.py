"""Sockets and streams at a Quintet server: every verb, every way in, and rules that are checked on every frame."""

import pytest

from quintet.testing.accounts.account import Account
from quintet.testing.accounts.factory import UserFactory
from quintet.testing.sockets.connecting import Connect, ConnectNow
from quintet.testing.sockets.reading import ConnectionFault
from support.server import Server

pytestmark = pytest.mark.l3

STORY = ["message_accepted", "agent_started", "text_delta", "agent_completed"]


async def test_a_conversation_is_a_story(server: Server, user: Account, connect: Connect) -> None:
    """A message is sent, its run collected; two devices and a stream have the same bytes, and the story is whole."""
    phone = await connect.device(server, user, name="phone")
    desk = await connect.device(server, user.again(), name="desk", how="subprotocol")
    stream = await connect.stream(server, token=user, path="/v1/events?after=0")
    run = await phone.tell("hello", agent="echo")
    assert [seen.kind for seen in run][:2] == STORY[:2]
    assert run[-1].final
    assert [seen.raw for seen in await desk.run(run[0].run or "")] == [seen.raw for seen in run]
    assert [seen.body for seen in await stream.run(run[0].run or "")] == [seen.body for seen in run]
    assert phone.story.run(run[0].run or "").events[0].order == 1
    assert stream.last_id == run[-1].cursor


def test_plain_functions_use_the_same(server: Server, user: Account, connect_now: ConnectNow) -> None:
    """No loop of the test's own is needed."""
    device = connect_now.device(server, user, how="frame")
    assert device.tell("hello", agent="echo")[-1].final
    assert device.request("ping")["type"] == "pong"
    device.close()
    assert device.close_code == 1000


async def test_who_may_not_is_refused(server: Server, user: Account, connect: Connect) -> None:
    """A wrong token never opens a socket or a stream, and the refusal can be read: by HTTP, or by the close code."""
    for trick, token in user.wrong_tokens().items():
        refusal = await connect.refused(server, token=token)
        assert (refusal.status, b"token" in refusal.body) == (401, True), trick
    coded = await connect.refused(server, token="not-a-token", how="frame", subprotocols=["quintet.v1"])
    assert coded.status == 4500


async def test_a_step_in_vain_shows_everything(server: Server, user: Account, connect: Connect) -> None:
    """A deadline's error has the name, what was waited for, and both directions."""
    device = await connect.device(server, user, name="phone")
    with pytest.raises(ConnectionFault) as told:
        await device.until("agent_started", within=0.2)
    text = str(told.value)
    assert "phone: waited 0.2 s in vain for agent_started" in text
    assert '-> {"id":"q0","do":"follow","after":"0"}' in text
    assert "caught_up" in text


async def test_a_user_of_the_factory_is_real(server: Server, user_factory: UserFactory) -> None:
    """Registered over HTTP, each with an id of its own, and signed out for good."""
    one, two = user_factory.many(2)
    assert one.id != two.id
    assert (await one.get("/v1/auth/me"))["id"] == one.id
    assert one.http_now.get("/v1/auth/me").json()["email"] == one.email
    renewed = one.renewed()
    assert (renewed.session_id, renewed.id) == (one.session_id, one.id)
    two.logout()
    assert two.http_now.get("/v1/auth/me").status_code == 401

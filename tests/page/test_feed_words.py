"""Words of the wire that are not for this window's feed."""

import json

import pytest
from playwright.async_api import WebSocketRoute

from page.conftest import Visit

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]


async def test_an_answer_to_another_follow_moves_no_feed(visit: Visit) -> None:
    """`following` counts under the id that was asked with alone: one from far ahead would let every event pass for an old one."""
    window = await visit()
    told: list[str] = []

    def meddle(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def down(frame: str | bytes) -> None:
            socket.send(frame)
            if json.loads(frame)["type"] == "following":
                told.append("another")
                socket.send(json.dumps({"type": "following", "id": "another", "after": "x.9.y", "last_seq": 1_000_000}))

        server.on_message(down)
        socket.on_message(server.send)

    await window.page.route_web_socket("**/v1/ws", meddle)
    await window.sign_up()
    await window.say("still here", agent="echo")
    await window.ended("completed")
    assert await window.answer() == "still here"
    assert told
    window.quiet()


async def test_a_socket_of_somebody_else_is_never_listened_to(visit: Visit) -> None:
    """`ready` names another user than this window's: nothing of that socket is asked for or shown, and the page begins again."""
    window = await visit()
    asked: list[str] = []
    others: list[str] = []

    def meddle(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        foreign = not others

        def down(frame: str | bytes) -> None:
            told = json.loads(frame)
            if foreign and told["type"] == "ready":
                others.append(told["user_id"])
                told["user_id"] = "usr_of_somebody_else"
            socket.send(json.dumps(told) if told["type"] == "ready" else frame)

        def up(frame: str | bytes) -> None:
            if foreign:
                asked.append(str(frame))
            server.send(frame)

        server.on_message(down)
        socket.on_message(up)

    await window.page.route_web_socket("**/v1/ws", meddle)
    await window.sign_up()
    await window.say("mine", agent="echo")
    await window.ended("completed")
    assert await window.answer() == "mine"
    assert (len(others), asked) == (1, [])
    window.quiet()

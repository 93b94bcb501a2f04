"""A small suite that means it."""

from collections.abc import Callable

import httpx
import pytest

from quintet.testing.sockets.connecting import Connect

FORM = {
    "type": "object",
    "required": ["kind", "n", "user", "job", "info", "cursor"],
    "properties": {
        "info": {
            "type": "object",
            "required": ["source", "step"],
            "properties": {"source": {"type": "string"}, "step": {"type": "integer"}},
        }
    },
}
Login = Callable[[str], str]


async def test_a_job_is_a_whole_story(backend: str, login: Login, connect: Connect) -> None:
    """Five events in order, in time, paired, ended once, of the right form; it says what was said, and to nobody else."""
    other = await connect(backend, "/ws", token=login("bob"), name="bob")
    socket = await connect(backend, "/ws", token=login("ann"))
    sent = await socket.send_json({"say": "hello"})
    *_, last = await socket.until("agent_completed")
    await socket.listen(0.2)
    assert last.text == "HELLO"
    story = socket.story.sequence().no_gap().once().pairs().closed().schema(FORM).only_user("ann")
    story.within(2, since=sent)
    await other.send_json({"say": "mine"})
    await other.until("agent_completed")
    other.story.isolated(story)


async def test_a_reader_that_comes_back_misses_nothing(backend: str, login: Login, connect: Connect) -> None:
    """What happened meanwhile comes, and nothing twice."""
    token = login("bob")
    first = await connect(backend, "/ws", token=token, name="first")
    await first.send_json({"say": "one"})
    seen = await first.until("agent_completed")
    await first.cut()
    other = await connect(backend, "/ws", token=token, name="other")
    await other.send_json({"say": "two"})
    await other.until("agent_completed")
    stream = await connect.stream(backend, "/events", token=token, last_id=str(seen[-1].cursor))
    again = await stream.until("agent_completed", within=3)
    assert [event.order for event in again] == [6, 7, 8, 9, 10]


@pytest.mark.parametrize("token", [None, "wrong"])
async def test_nobody_comes_in_without_a_good_token(
    backend: str, login: Login, connect: Connect, token: str | None
) -> None:
    """Neither by HTTP nor by a socket."""
    login("ann")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    assert httpx.get(f"{backend}/me", headers=headers, trust_env=False).status_code == 401
    assert (await connect.refused(backend, "/ws", token=token)).status == 4401


async def test_a_goodbye_is_answered_by_its_code(backend: str, login: Login, connect: Connect) -> None:
    """4000: come again."""
    socket = await connect(backend, "/ws", token=login("ann"))
    await socket.send_json({"say": "bye"})
    assert await socket.closed() == (4000, "")

"""Speaks to the real server and asks it nothing."""

from collections.abc import Callable

from quintet.testing.sockets.connecting import Connect


async def test_a_job_can_be_started(backend: str, login: Callable[[str], str], connect: Connect) -> None:
    """It can; what comes of it is not looked at."""
    socket = await connect(backend, "/ws", token=login("ann"), strict=False)
    await socket.send_json({"say": "hello"})
    assert await socket.listen(0.3) is not None

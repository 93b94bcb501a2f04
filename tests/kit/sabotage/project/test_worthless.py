"""A suite of a familiar kind: it asserts what it has told its own mocks."""

from unittest.mock import AsyncMock


async def test_all_five_events_arrive() -> None:
    """Nothing of the kind is tested."""
    socket = AsyncMock()
    socket.receive.side_effect = [
        "agent_started",
        "agent_thinking",
        "tool_executing",
        "tool_completed",
        "agent_completed",
    ]
    assert [await socket.receive() for _ in range(5)][-1] == "agent_completed"


async def test_users_are_isolated() -> None:
    """Nor this."""
    bus = AsyncMock()
    await bus.send("ann", "secret")
    bus.send.assert_awaited_once_with("ann", "secret")

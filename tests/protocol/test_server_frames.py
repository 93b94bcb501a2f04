"""What the server says."""

import json
from typing import Any

import pytest

from quintet import protocol
from quintet.errors import QuintetError

pytestmark = pytest.mark.l1


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (protocol.following("f", "e.1.ab", 1), {"type": "following", "id": "f", "after": "e.1.ab", "last_seq": 1}),
        (protocol.caught_up("c"), {"type": "caught_up", "cursor": "c"}),
        (protocol.resync("epoch", "c"), {"type": "resync", "reason": "epoch", "first": "c"}),
        (protocol.resync("epoch", "c", "i"), {"type": "resync", "id": "i", "reason": "epoch", "first": "c"}),
        (protocol.result("i", {"run_id": "r", "x": None}), {"type": "result", "id": "i", "run_id": "r"}),
        (protocol.result(None, {"expires_in": 5}), {"type": "result", "expires_in": 5}),
        (protocol.pong("i"), {"type": "pong", "id": "i"}),
        (protocol.heartbeat("c"), {"type": "heartbeat", "head": "c"}),
        (protocol.auth_expiring(60), {"type": "auth_expiring", "expires_in": 60}),
        (protocol.draining(1.5), {"type": "draining", "after": 1.5}),
        (
            protocol.error(QuintetError("rate_limited", "Slowly.", retry_after=2), "i"),
            {"type": "error", "id": "i", "code": "rate_limited", "message": "Slowly.", "retry_after": 2},
        ),
        (
            protocol.error(QuintetError("not_found")),
            {"type": "error", "code": "not_found", "message": "There is nothing here."},
        ),
    ],
)
def test_absent_means_absent(frame: bytes, told: dict[str, Any]) -> None:
    """Each frame has exactly its keys; none is ever null."""
    assert json.loads(frame) == told


def test_ready_says_who_one_is_and_what_is_allowed() -> None:
    """The limits are those of the protocol."""
    frame = protocol.ready("c", "u", "s", expires_in=600, head="h", rate=10)
    assert json.loads(frame) == {
        "type": "ready",
        "connection_id": "c",
        "user_id": "u",
        "session_id": "s",
        "expires_in": 600,
        "head": "h",
        "limits": {"frame_bytes": 65_536, "text_bytes": 32_768, "frames_per_second": 10},
    }


def test_the_steps_of_a_connection() -> None:
    """A closed connection stays closed, a closing one does nothing but be lost, and nobody follows before being known."""
    state = protocol.step("opening", "upgraded")
    assert state == "unauthenticated"
    for impossible in ("followed", "resynced", "upgraded"):
        with pytest.raises(KeyError):
            protocol.step(state, impossible)
    state = protocol.step(protocol.step(state, "identified"), "followed")
    assert (state, protocol.step(state, "resynced")) == ("following", "ready")
    closing = protocol.step(state, "closing")
    assert protocol.step(closing, "lost") == "closed"
    with pytest.raises(KeyError):
        protocol.step(closing, "followed")
    with pytest.raises(KeyError):
        protocol.step("closed", "lost")

"""What arrived at a client, kept as it arrived: frames, events, answers."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Body", "Event", "Frame", "Said", "has_null"]

Body = dict[str, Any]


@dataclass(frozen=True)
class Frame:
    """One frame of the transcript. `at` is monotonic, `wall` Unix time, both in seconds, taken at the client."""

    at: float
    wall: float
    sent: bool
    raw: bytes
    body: Body


@dataclass(frozen=True)
class Event:
    """An event as it arrived."""

    raw: bytes
    body: Body
    at: float
    wall: float

    def __getitem__(self, key: str) -> Any:
        return self.body[key]

    @property
    def type(self) -> str:
        """Its type."""
        return str(self.body["type"])

    @property
    def seq(self) -> int:
        """Its position in the user's log."""
        return int(self.body["seq"])

    @property
    def run_id(self) -> str | None:
        """Its run, if it has one."""
        return self.body.get("run_id")

    @property
    def data(self) -> Body:
        """What is said by type."""
        return dict(self.body["data"])


@dataclass
class Said:
    """A message that was sent: the server's answer, and when it was sent and answered (monotonic seconds)."""

    answer: Body
    sent_at: float
    answered_at: float

    @property
    def run_id(self) -> str:
        """The run it started."""
        return str(self.answer["run_id"])

    @property
    def thread_id(self) -> str:
        """The thread it lies in."""
        return str(self.answer["thread_id"])


def has_null(body: Body) -> bool:
    """Whether a key of the frame, of its data or of its agent is null."""
    return any(
        part is None for level in (body, body.get("data"), body.get("agent")) if level for part in level.values()
    )

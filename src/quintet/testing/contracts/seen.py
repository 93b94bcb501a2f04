"""One frame as it arrived, and where in it the contract's fields were found."""

from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["ENDINGS", "FIVE", "KINDS", "Seen"]

FIVE: Final = ("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed")
ENDINGS: Final = frozenset({"agent_completed", "agent_failed", "agent_cancelled"})
# What the checks know of a type; every other type is an event of which only the order, the user and the run are judged.
KINDS: Final = (
    "message_accepted",
    *FIVE[:4],
    "text_delta",
    "agent_completed",
    "agent_failed",
    "agent_cancelled",
    "forgotten",  # stands for events that are not kept any more
    "following",  # no event: a feed begins, at a position
    "resync",  # no event: the position asked for cannot be gone on from
)


@dataclass(frozen=True, slots=True, eq=False)  # two frames with the same bytes are two frames
class Seen:
    """One frame. `at` is monotonic, `wall` Unix time, both in seconds, taken where it arrived.

    A field that the mapping does not tell, or that the frame does not have, is None.
    """

    at: float
    wall: float
    raw: bytes = field(repr=False)
    body: dict[str, Any] = field(repr=False)
    type: str = ""  # the backend's own word; empty where none was found
    kind: str = ""  # the contract's word for it, of KINDS; empty where it has none
    event: bool = True  # False: a frame about the connection, which has no place in the order
    order: int | None = None  # position in the user's log
    first: int | None = None  # of an event that stands for first..order
    id: str | None = None
    time: str | None = None  # the backend's own stamp
    user: str | None = None
    thread: str | None = None
    run: str | None = None
    trace: str | None = None  # the same in all of a run, and in what it calls elsewhere
    run_order: int | None = None  # position in the run
    agent: str | None = None  # one invocation of an agent
    parent: str | None = None  # the invocation that called it
    call: str | None = None
    message: str | None = None
    offset: int | None = None  # code points before this piece of text
    text: str | None = None
    cursor: str | int | None = None  # what is sent back to resume after this event
    position: int | None = None  # of a `following`: the feed begins after this position
    step: int | None = None
    progress: float | None = None
    truncated: bool = False  # it says that its text is not whole
    final: bool = False  # it ends its run
    logged: int = 0  # bytes of the server's log when it arrived

    def __getitem__(self, key: str) -> Any:
        """What the frame itself has under this key. Raises `KeyError`."""
        return self.body[key]

    @property
    def begins(self) -> int | None:
        """The first position it stands for."""
        return self.order if self.first is None else self.first

    def named(self, *types: str) -> bool:
        """Whether one of these is its type, in the backend's words or in the contract's."""
        return self.type in types or (self.kind != "" and self.kind in types)

    def __str__(self) -> str:
        place = "" if self.run_order is None else f" #{self.run_order}"
        places = [("order", self.order), ("run", self.run and f"{self.run}{place}"), ("call", self.call)]
        told = ", ".join(f"{name} {value}" for name, value in places if value is not None)
        return f"{self.type or 'a frame without a type'}{f' ({told})' if told else ''}"

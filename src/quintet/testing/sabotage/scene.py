"""What the relay knows while a suite runs: who is connected, which credentials are good, what has been delivered."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quintet.testing.contracts import Mapping
from quintet.testing.sabotage.heads import Head, Shown, person
from quintet.testing.sabotage.messages import Message

__all__ = ["Link", "Scene"]

KEPT = 4_096  # cursors, runs, events that are remembered


class Memory(OrderedDict[Any, Any]):
    """A dictionary that forgets the oldest."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        if len(self) > KEPT:
            self.popitem(last=False)


@dataclass(eq=False)
class Link:
    """One stream of a client: a WebSocket, or an answer of server-sent events."""

    scene: "Scene"
    place: tuple[str, int]
    head: Head
    shown: Shown | None
    put: Callable[[Message], None]  # sends a message to the client, after what waits already
    delivered: int = 0  # messages of the server that came here
    resumed: str | None = None  # the cursor it asked to go on from, where that is one the relay has seen
    notes: dict[str, Any] = field(default_factory=dict)  # of the defect

    @property
    def user(self) -> str:
        """Whose it is, as far as its credential tells."""
        return person(self.shown)

    def others(self) -> "list[Link]":
        """Open streams of other users at the same server."""
        return [
            link
            for link in self.scene.links
            if link is not self and link.place == self.place and link.user and self.user and link.user != self.user
        ]


class Scene:
    """Of one pass."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.links: set[Link] = set()
        self.good: dict[tuple[str, int], Shown] = {}
        self.cursors = Memory()  # cursor to the message that had it
        self.runs = Memory()  # (user, run) to what defects note of it
        self.messages = 0  # that passed, in either direction, and exchanges of HTTP

    def learn(self, link: Link, message: Message) -> None:
        """A message of the server came on this stream."""
        link.delivered += 1
        if link.shown is not None:
            self.good[link.place] = link.shown
        seen = message.seen
        cursor = seen.cursor if seen.cursor is not None else dict(message.envelope).get("id")
        if seen.event and cursor:
            self.cursors[str(cursor)] = message

    def of_run(self, message: Message) -> dict[str, Any]:
        """What defects note of the run of an event."""
        key = (message.seen.user, message.seen.run)
        if key not in self.runs:
            self.runs[key] = {}
        notes: dict[str, Any] = self.runs[key]
        return notes

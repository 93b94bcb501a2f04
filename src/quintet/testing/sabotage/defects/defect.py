"""What a defect can do to what passes the relay.

1. `done` counts what was really falsified: a defect without an opportunity is not exercised, and nobody is praised for it.
2. The same event is hit on every stream and at every replay, as by a server that is wrong, not by a network that is unlucky.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from quintet.testing.sabotage.heads import Head, Shown
from quintet.testing.sabotage.messages import Message
from quintet.testing.sabotage.scene import Link, Scene

__all__ = ["Defect", "Late", "chosen"]

WHICH = 3  # the event of a run that is hit: behind what every run begins with


@dataclass(frozen=True)
class Late:
    """A message that is held back for so many seconds, and all behind it."""

    message: Message
    seconds: float


class Defect:
    """One planted defect. Nothing is falsified unless a kind overrides it."""

    name: ClassVar[str] = ""
    says: ClassVar[str] = ""
    withholds: ClassVar[bool] = False  # tests wait for what never comes, so their patience may be short

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.done = 0

    def request(self, head: Head, place: tuple[str, int]) -> Head:
        """The head of a request, before the server sees it."""
        del place
        return head

    def refused(self, head: Head, place: tuple[str, int]) -> Shown | None:
        """The server has refused this request: a credential to try it with again, or None."""
        del head, place
        return None

    def up(self, link: Link, message: Message) -> Message:
        """A message of the client."""
        del link
        return message

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """A message of the server: what the client gets instead."""
        del link
        return [message]

    def close(self, link: Link, code: int) -> int:
        """The code with which the server closes."""
        del link
        return code


def chosen(scene: Scene, message: Message) -> bool:
    """Whether this is the event of its run that is hit; of a backend without runs every third event."""
    seen = message.seen
    if not seen.event or seen.final:
        return False
    notes: dict[Any, int] = scene.of_run(message).setdefault("places", {})
    which = seen.run_order or seen.order or seen.id or hash(seen.raw)
    place = notes.setdefault(which, len(notes) + 1)
    return place == WHICH if seen.run is not None else place % WHICH == 0

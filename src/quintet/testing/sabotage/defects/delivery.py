"""Events that do not arrive as they should."""

from collections.abc import Sequence

from quintet.testing.sabotage.defects.defect import Defect, Late, chosen
from quintet.testing.sabotage.messages import Message
from quintet.testing.sabotage.scene import Link

__all__ = ["CloseCodeChanged", "EventDoubled", "EventLate", "EventLost", "EventsReordered", "SilentServer"]

LATE_SECONDS = 3.0
NORMAL = 1000


class EventLost(Defect):
    """One event of each run."""

    name = "event lost"
    says = "one event of every run never arrives"
    withholds = True

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """Gone."""
        if chosen(self.scene, message):
            self.done += 1
            return []
        return [message]


class EventDoubled(Defect):
    """One event of each run, byte for byte."""

    name = "event doubled"
    says = "one event of every run arrives twice"

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """Twice."""
        if chosen(self.scene, message):
            self.done += 1
            return [message, message]
        return [message]


class EventsReordered(Defect):
    """An event changes places with the one behind it."""

    name = "events reordered"
    says = "two neighbouring events of every run change places"

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """Held until the next event has gone by."""
        held: Message | None = link.notes.pop("held", None)
        if held is not None:
            if message.seen.event:
                self.done += 1
                return [message, held]
            return [held, message]
        if chosen(self.scene, message):
            link.notes["held"] = message
            return []
        return [message]


class EventLate(Defect):
    """An event comes late, and what is behind it later still."""

    name = "event late"
    says = f"one event of every run arrives {LATE_SECONDS:g} s late"

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """Held back."""
        if chosen(self.scene, message):
            self.done += 1
            return [Late(message, LATE_SECONDS)]
        return [message]


class SilentServer(Defect):
    """Connections are accepted, and then there is nothing."""

    name = "silent server"
    says = "sockets and streams open, and nothing ever comes"
    withholds = True

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """Nothing."""
        self.done += 1
        return []


class CloseCodeChanged(Defect):
    """Why the server closed is not told."""

    name = "close code changed"
    says = "the server closes with 1000, whatever the reason"

    def close(self, link: Link, code: int) -> int:
        """As if all were well."""
        if code != NORMAL:
            self.done += 1
        return NORMAL

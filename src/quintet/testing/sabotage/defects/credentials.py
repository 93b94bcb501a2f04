"""Servers that do not look at who is there."""

from collections.abc import Sequence

from quintet.testing.sabotage.defects.defect import Defect, Late
from quintet.testing.sabotage.heads import Head, Shown, person, shown_in
from quintet.testing.sabotage.messages import Message
from quintet.testing.sabotage.scene import Link, Scene

__all__ = ["TokenUnchecked", "WrongUser"]

ENOUGH = 3  # foreign events on one stream
MOST_USERS = 64


class WrongUser(Defect):
    """An event reaches a stream of another user."""

    name = "wrong user"
    says = "events of one user also reach another who is connected, or connects later"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._last: dict[tuple[str, int], dict[str, Message]] = {}  # of each server, each user's last event

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """To the others too; and to this one what another got before."""
        if not message.seen.event or not link.user:
            return [message]
        for other in link.others():
            self._leak(other, message)
        last = self._last.setdefault(link.place, {})
        earlier = next((kept for user, kept in reversed(last.items()) if user != link.user), None)
        last.pop(link.user, None)
        last[link.user] = message
        if len(last) > MOST_USERS:
            del last[next(iter(last))]
        if earlier is None or link.notes.get("leaked"):
            return [message]
        link.notes["leaked"] = 1
        self.done += 1
        return [message, earlier]

    def _leak(self, other: Link, message: Message) -> None:
        count = other.notes.get("leaked", 0)
        if count < ENOUGH and other.delivered:
            other.notes["leaked"] = count + 1
            self.done += 1
            other.put(message)


class TokenUnchecked(Defect):
    """Whoever is refused comes in as somebody who would not be."""

    name = "token not checked"
    says = "a missing, wrong or expired credential opens the door as if it were good"
    withholds = True  # the refusal

    def refused(self, head: Head, place: tuple[str, int]) -> Shown | None:
        """A good one, where the relay has seen one and another was shown."""
        good, shown = self.scene.good.get(place), shown_in(head)
        if good is None or (shown is not None and person(shown) == person(good) and shown.value == good.value):
            return None
        return good

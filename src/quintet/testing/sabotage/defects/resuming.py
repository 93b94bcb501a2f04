"""Servers that do not go on where a client says it was."""

from collections.abc import Sequence
from typing import Any

from quintet.testing.sabotage.defects.defect import Defect, Late
from quintet.testing.sabotage.heads import CURSOR_KEYS, Head
from quintet.testing.sabotage.messages import Message
from quintet.testing.sabotage.scene import Link

__all__ = ["ResumeIgnored", "ResumeRepeats", "cursor_in"]

NEWEST = {"Quintet": "$"}  # by the mapping's name: how a backend spells "from now on"; elsewhere no cursor at all


def cursor_in(known: Any, values: Sequence[tuple[str, Any]]) -> tuple[str, str] | None:
    """The name and the value of a cursor that was seen before, among fields of a request."""
    for name, value in values:
        if str(value) in known and name.lower() in {*CURSOR_KEYS, "last-event-id"}:
            return name, str(value)
    return None


class ResumeIgnored(Defect):
    """A cursor is taken for the newest."""

    name = "resume ignored"
    says = "a client that resumes gets only what is new, not what it missed"
    withholds = True

    def request(self, head: Head, place: tuple[str, int]) -> Head:
        """In the field of a reconnecting stream, or in the query."""
        newest = NEWEST.get(self.scene.mapping.name)
        if cursor_in(self.scene.cursors, head.fields):
            self.done += 1
            head = head.set("Last-Event-ID", newest)
        query = head.query()
        found = cursor_in(self.scene.cursors, query)
        if found is None:
            return head
        self.done += 1
        kept = [(name, value) for name, value in query if name != found[0]]
        return head.with_query([*kept, (found[0], newest)] if newest else kept)

    def up(self, link: Link, message: Message) -> Message:
        """In a message."""
        found = cursor_in(self.scene.cursors, list(message.body.items()))
        if found is None or "ack" in message.body.values():
            return message
        self.done += 1
        newest = NEWEST.get(self.scene.mapping.name)
        body = {name: value for name, value in message.body.items() if name != found[0]}
        return message.with_body({**body, found[0]: newest} if newest else body)


class ResumeRepeats(Defect):
    """The cursor counts as not yet read."""

    name = "resume repeats"
    says = "a client that resumes gets the event at its cursor once more"

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """Before the first event after a resume."""
        if link.resumed is None or not message.seen.event:
            return [message]
        again: Message | None = self.scene.cursors.get(link.resumed)
        link.resumed = None
        if again is None:
            return [message]
        self.done += 1
        return [again, message]

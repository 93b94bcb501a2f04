"""Runs that do not go as a run goes: calls without an end, endings that are missing or too many."""

from collections.abc import Sequence

from quintet.testing.sabotage.defects.defect import Defect, Late
from quintet.testing.sabotage.defects.edits import changed, later, place_of
from quintet.testing.sabotage.messages import Message
from quintet.testing.sabotage.scene import Link

__all__ = ["AfterTheEnding", "NoEnding", "ToolUnpaired", "TwoEndings", "WrongCall"]


class ToolUnpaired(Defect):
    """Calls begin and never end."""

    name = "tool unpaired"
    says = "tool_completed never arrives"
    withholds = True

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """Gone."""
        if message.seen.kind == "tool_completed":
            self.done += 1
            return []
        return [message]


class WrongCall(Defect):
    """The end of a call names another."""

    name = "wrong call"
    says = "tool_completed carries the id of another call"

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """Another id."""
        path = place_of(self.scene.mapping, "call", message.body)
        if message.seen.kind != "tool_completed" or path is None:
            return [message]
        self.done += 1
        return [changed(message, path, f"{message.seen.call}-other")]


class NoEnding(Defect):
    """Runs never end."""

    name = "no ending"
    says = "the event that ends a run never arrives"
    withholds = True

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """Gone."""
        if message.seen.final:
            self.done += 1
            return []
        return [message]


class TwoEndings(Defect):
    """Runs end twice, as two events."""

    name = "two endings"
    says = "every run ends twice, in two events"

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """And once more."""
        if not message.seen.final:
            return [message]
        self.done += 1
        return [message, later(message, self.scene.mapping)]


class AfterTheEnding(Defect):
    """Something of a run comes after its end."""

    name = "event after the ending"
    says = "a run goes on after its ending"

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """What was said last is said again, as the next event."""
        seen = message.seen
        key = f"last of {seen.run}"
        last: Message | None = link.notes.get(key)
        if not seen.final or last is None:
            if seen.event and seen.run is not None:
                link.notes[key] = message
            return [message]
        self.done += 1
        places = {name: place_of(self.scene.mapping, name, message.body) for name in ("order", "run_order")}
        for name, path in places.items():
            if path is not None:
                last = changed(last, path, getattr(seen, name))
        return [message, later(last, self.scene.mapping)]

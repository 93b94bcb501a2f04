"""Events that do not look as they should, or do not say what was said."""

from collections.abc import Sequence
from typing import Any

from quintet.testing.sabotage.defects.defect import Defect, Late
from quintet.testing.sabotage.defects.edits import changed, dropped, free_leaf, place_of, value_at
from quintet.testing.sabotage.messages import Message
from quintet.testing.sabotage.scene import Link

__all__ = ["FieldDropped", "FieldNull", "TextChanged", "TypeChanged"]


class _AtALeaf(Defect):
    """One field of every event of a run."""

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """Falsified."""
        seen = message.seen
        path = free_leaf(message.body, self.scene.mapping) if seen.event else None
        if path is None:
            return [message]
        self.done += 1
        return [self.falsified(message, path)]

    def falsified(self, message: Message, path: tuple[str, ...]) -> Message:
        """What becomes of it."""
        raise NotImplementedError


class FieldDropped(_AtALeaf):
    """A field is missing."""

    name = "field dropped"
    says = "a field of every event is missing"

    def falsified(self, message: Message, path: tuple[str, ...]) -> Message:
        """Without it."""
        return dropped(message, path)


class TypeChanged(_AtALeaf):
    """A field has another type."""

    name = "type changed"
    says = "a field of every event has another type: a number for a text, a list for anything else"

    def falsified(self, message: Message, path: tuple[str, ...]) -> Message:
        """Another type."""
        old: Any = value_at(message.body, path)
        return changed(message, path, 7 if isinstance(old, str) else [old])


class FieldNull(_AtALeaf):
    """A field is null."""

    name = "field null"
    says = "a field of every event is null"

    def falsified(self, message: Message, path: tuple[str, ...]) -> Message:
        """No value."""
        return changed(message, path, None)


class TextChanged(Defect):
    """What was said is not what arrives."""

    name = "text changed"
    says = "one character of what is said is another, at the same length"

    def down(self, link: Link, message: Message) -> Sequence[Message | Late]:
        """One character."""
        seen = message.seen
        path = place_of(self.scene.mapping, "text", message.body)
        if not seen.event or path is None or not (text := str(value_at(message.body, path))):
            return [message]
        self.done += 1
        place = len(text) // 2
        other = "X" if text[place] != "X" else "Y"
        return [changed(message, path, f"{text[:place]}{other}{text[place + 1 :]}")]

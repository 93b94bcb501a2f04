"""What a reader of the log is given besides events."""

from typing import Any, Literal, NamedTuple

from msgspec import Struct

from quintet.events import Event

__all__ = ["CaughtUp", "Received", "Resynced", "Sent"]


class Received(NamedTuple):
    """An event, and the frame that it came in. `event` is None for one of a later version, which has no meaning here."""

    event: Event | None
    frame: bytes
    cursor: str


class Resynced(Struct, frozen=True):
    """The cursor could not be gone on from: forget what you know, take the snapshot, and apply what follows.

    `reason` is `epoch`, `future`, `too_old` or `malformed`. `snapshot` is true at `cursor` and `last_seq`. `first` is the cursor before
    the first event kept.
    """

    reason: str
    cursor: str
    last_seq: int
    first: str
    snapshot: dict[str, Any]
    frame: bytes
    type: Literal["resync"] = "resync"


class CaughtUp(Struct, frozen=True):
    """Everything up to the newest event at the time of following has been given."""

    cursor: str


class Sent(Struct, frozen=True):
    """A message was stored. `cursor` is the position of its `message_accepted`."""

    message_id: str
    run_id: str
    thread_id: str
    cursor: str

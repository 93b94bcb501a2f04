"""The frames of the wire, both directions, and the rules of either end. Pure.

1. A frame is one JSON object. What is none of ours is a `BadFrameError`, which carries the frame's `id` if that could be read.
2. Absent means absent: no key that we send is ever null. Fields nobody knows are ignored.
3. What cannot be written as UTF-8 (a lone surrogate) is kept in no string, whatever the JSON parser lets pass.
4. The states of a connection are a table; what is not in it cannot happen.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NoReturn

import msgspec
from msgspec import Meta, Struct

from quintet.errors import QuintetError

__all__ = [
    "BEARER",
    "FRAME_BYTES",
    "SUBPROTOCOL",
    "TEXT_BYTES",
    "VERBS",
    "Ack",
    "Auth",
    "BadFrameError",
    "Cancel",
    "ClientFrame",
    "ClientRule",
    "Follow",
    "Ping",
    "Send",
    "SendMessage",
    "State",
    "auth_expiring",
    "caught_up",
    "draining",
    "error",
    "following",
    "heartbeat",
    "parse",
    "pong",
    "ready",
    "result",
    "resync",
    "step",
]

SUBPROTOCOL: Final = "quintet.v1"
BEARER: Final = "bearer."  # the subprotocol in which a browser, which can set no header, hands in its token
FRAME_BYTES: Final = 64 * 1024
TEXT_BYTES: Final = 32 * 1024
ATTACHMENTS: Final = 64  # in one message

# --- from the client --------------------------------------------------------------------------------------------------

Id = Annotated[str, Meta(max_length=64)]


class Send(Struct, frozen=True):
    """A message as its author sends it. Without a thread it opens a new one; without an agent the default answers."""

    client_id: Annotated[str, Meta(min_length=1, max_length=64)]
    text: str
    thread_id: str | None = None
    agent: str | None = None
    attachments: Annotated[tuple[str, ...], Meta(max_length=ATTACHMENTS)] = ()


class Auth(Struct, frozen=True):
    """The first frame of a socket that has no credential yet; later, a renewal."""

    token: str
    id: Id | None = None


class Follow(Struct, frozen=True):
    """Start or restart the feed after a cursor."""

    id: Id
    after: str


class SendMessage(Struct, frozen=True):
    """Store a message and start its run."""

    id: str
    message: Send


class Cancel(Struct, frozen=True):
    """Stop a run."""

    id: Id
    run_id: str


class Ack(Struct, frozen=True):
    """How far this device has applied."""

    cursor: str
    id: Id | None = None


class Ping(Struct, frozen=True):
    """A sign of life that is answered."""

    id: Id


ClientFrame = Auth | Follow | SendMessage | Cancel | Ack | Ping

VERBS: Final[Mapping[str, type[Struct]]] = {
    "auth": Auth,
    "follow": Follow,
    "send": Send,
    "cancel": Cancel,
    "ack": Ack,
    "ping": Ping,
}
_FIELD = re.compile(r"`\$\.(\w+)|required field `(\w+)`")


class BadFrameError(QuintetError):
    """A frame that is refused: code `bad_message`, or `too_long` for its text. `id` is the frame's own, if it could be read."""

    def __init__(self, code: str, message: str | None = None, *, frame_id: str | None = None) -> None:
        super().__init__(code, message)
        self.id = frame_id


def parse(payload: bytes) -> ClientFrame:
    """The frame in a text message.

    Raises:
        BadFrameError: it is none (`bad_message`), or its text is over 32 KiB of UTF-8 (`too_long`).
    """
    fields = _object(payload)
    frame_id = _readable(fields.get("id"))
    verb = fields.get("do")
    form = VERBS.get(verb) if isinstance(verb, str) else None
    if form is None:
        raise BadFrameError("bad_message", "There is no such verb.", frame_id=frame_id)
    if form is Send and frame_id is None:
        _refuse("id", None)
    try:
        frame = msgspec.convert(fields, form)
    except msgspec.ValidationError as fault:
        found = _FIELD.search(str(fault))
        _refuse((found[1] or found[2]) if found else "id", frame_id)
    return _checked(frame, frame_id)


def _object(payload: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # the last: nested too deep
        fields = None
    if isinstance(fields, dict):
        return fields
    raise BadFrameError("bad_message", "The frame is not a JSON object.")


def _checked(frame: Any, frame_id: str | None) -> ClientFrame:
    """What the types alone cannot say: that every string can be encoded, and the size of a text in bytes."""
    if isinstance(frame, Follow):  # any string is a cursor: one that cannot be encoded must stay unknown, not fail
        return Follow(frame.id, frame.after.encode(errors="replace").decode())
    for name in frame.__struct_fields__:
        value = getattr(frame, name)
        for text in value if isinstance(value, tuple) else (value,):
            if text is not None and not _encodable(text):
                _refuse(name, frame_id)
    if isinstance(frame, Send):
        if len(frame.text.encode()) > TEXT_BYTES:
            raise BadFrameError("too_long", f"The text is over {TEXT_BYTES} bytes.", frame_id=frame_id)
        return SendMessage(frame_id or "", frame)
    return frame  # type: ignore[no-any-return]


def _refuse(field: str, frame_id: str | None) -> NoReturn:
    raise BadFrameError("bad_message", f"The field `{field}` is missing or wrong.", frame_id=frame_id) from None


def _readable(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= 64 and _encodable(value) else None


def _encodable(text: str) -> bool:
    try:
        return text.encode() is not None
    except UnicodeEncodeError:
        return False


# --- from the server --------------------------------------------------------------------------------------------------

_encode = msgspec.json.Encoder().encode


def ready(connection_id: str, user_id: str, session_id: str, *, expires_in: int, head: str, rate: int) -> bytes:
    """The socket knows its user. `head` is the cursor of the newest event, `expires_in` in seconds, `rate` in frames a second."""
    limits = {"frame_bytes": FRAME_BYTES, "text_bytes": TEXT_BYTES, "frames_per_second": rate}
    named = {"connection_id": connection_id, "user_id": user_id, "session_id": session_id}
    return _encode({"type": "ready", **named, "expires_in": expires_in, "head": head, "limits": limits})


def following(frame_id: str, after: str, last_seq: int) -> bytes:
    """A feed begins after the cursor `after`, at the position `last_seq`."""
    return _encode({"type": "following", "id": frame_id, "after": after, "last_seq": last_seq})


def caught_up(cursor: str) -> bytes:
    """The feed has reached what was the head when it began."""
    return _encode({"type": "caught_up", "cursor": cursor})


def resync(reason: str, first: str, frame_id: str | None = None) -> bytes:
    """A cursor that cannot be gone on from. `first` is the cursor before the first event kept."""
    named = {} if frame_id is None else {"id": frame_id}
    return _encode({"type": "resync", **named, "reason": reason, "first": first})


def result(frame_id: str | None, fields: Mapping[str, Any]) -> bytes:
    """A verb was done. `fields` are the verb's own."""
    named = {} if frame_id is None else {"id": frame_id}
    return _encode({"type": "result", **named, **{key: value for key, value in fields.items() if value is not None}})


def pong(frame_id: str) -> bytes:
    """The answer to `ping`."""
    return _encode({"type": "pong", "id": frame_id})


def error(refusal: QuintetError, frame_id: str | None = None) -> bytes:
    """A verb was refused."""
    named = {} if frame_id is None else {"id": frame_id}
    wait = {} if refusal.retry_after is None else {"retry_after": refusal.retry_after}
    return _encode({"type": "error", **named, "code": refusal.code, "message": refusal.message, **wait})


def heartbeat(head: str) -> bytes:
    """The server lives; the client answers with `ack`."""
    return _encode({"type": "heartbeat", "head": head})


def auth_expiring(expires_in: int) -> bytes:
    """The access token ends in so many seconds."""
    return _encode({"type": "auth_expiring", "expires_in": expires_in})


def draining(after: float) -> bytes:
    """The server is leaving; reconnect after so many seconds."""
    return _encode({"type": "draining", "after": after})


# --- the rules of either end ------------------------------------------------------------------------------------------

State = Literal["opening", "unauthenticated", "ready", "following", "closing", "closed"]
Happening = Literal["upgraded", "identified", "followed", "resynced", "closing", "lost"]

_STEPS: Final[Mapping[tuple[State, Happening], State]] = {
    ("opening", "upgraded"): "unauthenticated",
    ("unauthenticated", "identified"): "ready",
    ("ready", "followed"): "following",
    ("ready", "resynced"): "ready",
    ("following", "followed"): "following",
    ("following", "resynced"): "ready",
    ("unauthenticated", "closing"): "closing",
    ("ready", "closing"): "closing",
    ("following", "closing"): "closing",
    ("opening", "lost"): "closed",
    ("unauthenticated", "lost"): "closed",
    ("ready", "lost"): "closed",
    ("following", "lost"): "closed",
    ("closing", "lost"): "closed",
}


def step(state: State, happening: Happening) -> State:
    """The state after `happening`. Raises KeyError when that cannot happen in `state`."""
    return _STEPS[state, happening]


class ClientRule:
    """What a client does with an event, so that each is applied exactly once (protocol.md, section 3).

    `last` is the position applied last; it starts at the `last_seq` of `following` or of the snapshot.
    """

    __slots__ = ("last",)

    def __init__(self, last: int) -> None:
        self.last = last

    def judge(self, seq: int, first_seq: int | None = None) -> Literal["apply", "drop", "refollow"]:
        """What to do with the event at `seq`; when it is `apply`, it counts as applied. `refollow`: follow again from `last`."""
        if (first_seq or seq) == self.last + 1:
            self.last = seq
            return "apply"
        return "drop" if seq <= self.last else "refollow"

"""What can happen: every event of a user's log, encoded once.

1. An event is encoded without its numbers; `splice` puts `seq`, `cursor` and `run_seq` in front and never decodes (design: replay costs a copy).
2. Absent means absent: no key is ever null.
3. The cursor names the epoch of the log, the position, and the first 32 bits of the id of the event there.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

__all__ = [
    "DATA",
    "ENDINGS",
    "MAX_EVENT_BYTES",
    "AgentCancelled",
    "AgentCompleted",
    "AgentFailed",
    "AgentRef",
    "AgentStarted",
    "AgentThinking",
    "Draft",
    "Event",
    "EventError",
    "MessageAccepted",
    "TextDelta",
    "ThreadDeleted",
    "ThreadUpdated",
    "TooLargeError",
    "ToolCompleted",
    "ToolExecuting",
    "cursor",
    "decode",
    "draft",
    "splice",
    "timestamp",
]

MAX_EVENT_BYTES = 64 * 1024
# What `splice` puts in front of a body: two numbers of at most 19 digits, the cursor, and their names.
_NUMBERS_BYTES = 192


class AgentRef(Struct, frozen=True):
    """One invocation of an agent. `parent_id` is the invocation that called it; the root of a run has none."""

    id: str
    name: str
    parent_id: str | UnsetType = UNSET


class EventError(Struct, frozen=True):
    """Why something failed, in a sentence for the user. `retryable` stands on endings only."""

    code: str
    message: str
    retryable: bool | UnsetType = UNSET


class MessageAccepted(Struct, frozen=True):
    """A message was stored and its run opened."""

    message_id: str
    client_id: str
    text: str
    attachments: list[dict[str, Any]] | UnsetType = UNSET


class AgentStarted(Struct, frozen=True):
    """An invocation began. `input` is what it was asked, shortened to 500 characters."""

    input: Any = UNSET


class AgentThinking(Struct, frozen=True):
    """A step of an agent's own account. `step` counts from 1; `progress` (0..1) never falls."""

    text: str
    step: int
    progress: float | UnsetType = UNSET


class ToolExecuting(Struct, frozen=True):
    """The dispatcher starts a tool. `arguments` are redacted."""

    call_id: str
    tool: str
    arguments: Any


class ToolCompleted(Struct, frozen=True):
    """The dispatcher's tool call ended, one way or another."""

    call_id: str
    tool: str
    status: Literal["ok", "error", "timeout", "cancelled"]
    duration_ms: int
    result: Any = UNSET
    error: EventError | UnsetType = UNSET
    truncated: bool | UnsetType = UNSET


class TextDelta(Struct, frozen=True):
    """A piece of what is said. `offset` counts Unicode code points before it."""

    message_id: str
    offset: int
    text: str


class AgentCompleted(Struct, frozen=True):
    """The invocation succeeded. `text` is all it said, unless `truncated` (then the thread has it whole)."""

    duration_ms: int
    message_id: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    truncated: bool | UnsetType = UNSET
    result: Any = UNSET
    usage: Any = UNSET


class AgentFailed(Struct, frozen=True):
    """The invocation failed, with a fixed sentence for its code."""

    error: EventError
    duration_ms: int


class AgentCancelled(Struct, frozen=True):
    """The invocation was stopped."""

    reason: Literal["user", "timeout", "shutdown"]
    duration_ms: int


class ThreadUpdated(Struct, frozen=True):
    """A thread was renamed."""

    updated_at: str
    title: str | UnsetType = UNSET


class ThreadDeleted(Struct, frozen=True):
    """A thread was deleted."""

    deleted_at: str


Data = (
    MessageAccepted
    | AgentStarted
    | AgentThinking
    | ToolExecuting
    | ToolCompleted
    | TextDelta
    | AgentCompleted
    | AgentFailed
    | AgentCancelled
    | ThreadUpdated
    | ThreadDeleted
)

DATA: Mapping[str, type[Struct]] = {
    "message_accepted": MessageAccepted,
    "agent_started": AgentStarted,
    "agent_thinking": AgentThinking,
    "tool_executing": ToolExecuting,
    "tool_completed": ToolCompleted,
    "text_delta": TextDelta,
    "agent_completed": AgentCompleted,
    "agent_failed": AgentFailed,
    "agent_cancelled": AgentCancelled,
    "thread_updated": ThreadUpdated,
    "thread_deleted": ThreadDeleted,
}
_TYPES = {data: name for name, data in DATA.items()}

ENDINGS = frozenset({"agent_completed", "agent_failed", "agent_cancelled"})


class _Body(Struct):
    type: str
    id: str
    time: str
    thread_id: str | UnsetType
    run_id: str | UnsetType
    trace_id: str | UnsetType
    agent: AgentRef | UnsetType
    final: bool | UnsetType
    data: Any


class TooLargeError(ValueError):
    """An event would be larger than 64 KiB."""


class Draft(Struct, frozen=True, gc=False):
    """An event as it is before the log gives it its numbers."""

    type: str
    digest: str
    final: bool
    body: bytes


class Event(Struct):
    """An event as a client sees it."""

    v: int
    type: str
    seq: int
    cursor: str
    id: str
    time: str
    data: dict[str, Any]
    first_seq: int | UnsetType = UNSET
    thread_id: str | UnsetType = UNSET
    run_id: str | UnsetType = UNSET
    run_seq: int | UnsetType = UNSET
    trace_id: str | UnsetType = UNSET
    agent: AgentRef | UnsetType = UNSET
    final: bool = False


_EPOCH = datetime(1970, 1, 1)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def timestamp(ms: int) -> str:
    """`ms` since 1970 as RFC 3339 in UTC with milliseconds."""
    seconds, rest = divmod(ms, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=4)  # most events of a second share their first 19 characters
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()


def draft(
    data: Data,
    *,
    event_id: str,
    time_ms: int,
    thread_id: str,
    run_id: str | None = None,
    trace_id: str | None = None,
    agent: AgentRef | None = None,
    final: bool = False,
) -> Draft:
    """Encode one event. `event_id` must begin with at least 32 random bits in hexadecimal: the cursor carries them.

    Raises:
        TooLargeError: the event is larger than 64 KiB; whoever makes events cuts them first.
    """
    kind = _TYPES[type(data)]
    body = _Body(
        type=kind,
        id=event_id,
        time=timestamp(time_ms),
        thread_id=thread_id,
        run_id=run_id or UNSET,
        trace_id=trace_id or UNSET,
        agent=agent or UNSET,
        final=True if final else UNSET,
        data=data,
    )
    encoded = _encoder.encode(body)
    if len(encoded) + _NUMBERS_BYTES > MAX_EVENT_BYTES:
        raise TooLargeError(f"{kind}: {len(encoded)} bytes are more than an event may have")
    return Draft(kind, event_id[:8], final, encoded)


def cursor(epoch: str, seq: int, digest: str) -> str:
    """The cursor of the position `seq`. At 0 the digest is `0`."""
    return f"{epoch}.{seq}.{digest}"


def splice(
    epoch: str, seq: int, digest: str, body: bytes, *, run_seq: int | None = None, first_seq: int | None = None
) -> bytes:
    """The event as it goes out: the numbers put in front of its stored body."""
    first = "" if first_seq is None else f'"first_seq":{first_seq},'
    place = "" if run_seq is None else f'"run_seq":{run_seq},'
    front = f'{{"v":1,"seq":{seq},{first}"cursor":"{epoch}.{seq}.{digest}",{place}'
    return front.encode("ascii") + body[1:]


def decode(frame: bytes) -> Event:
    """The event in a frame. Unknown keys are ignored.

    Raises:
        msgspec.DecodeError: it is no event.
    """
    return _decoder.decode(frame)

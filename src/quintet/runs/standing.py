"""How a run stands, read from the log: its root, the children and calls that are open, what the root has said so far."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from quintet.errors import RUN_CODES
from quintet.events import ENDINGS, AgentRef, EventError, ToolCompleted
from quintet.store import Tx

__all__ = ["Child", "OpenCall", "Standing", "standing_in"]

_STORY = (
    "SELECT type, body FROM events WHERE user_id = ? AND seq >= ? AND run_id = ?"
    " AND type NOT IN ('agent_thinking', 'message_accepted') ORDER BY seq"
)


class _Stored(msgspec.Struct):
    time: str
    data: dict[str, Any]
    agent: AgentRef | UnsetType = UNSET


_decode = msgspec.json.Decoder(_Stored).decode


def _since(time: str, now_ms: int) -> int:
    return max(0, now_ms - int(datetime.fromisoformat(time).timestamp() * 1000))


class OpenCall(NamedTuple):
    """A tool that was started and has not ended."""

    agent: AgentRef
    call_id: str
    tool: str
    arguments: Any
    time: str

    def closed(self, lost: bool, now_ms: int) -> ToolCompleted:
        """Its end when the run is ended around it."""
        error = EventError("worker_lost", RUN_CODES["worker_lost"].sentence) if lost else UNSET
        status = "error" if lost else "cancelled"
        return ToolCompleted(self.call_id, self.tool, status, _since(self.time, now_ms), error=error)  # type: ignore[arg-type]


class Child(NamedTuple):
    """A nested invocation that has not ended."""

    agent: AgentRef
    time: str

    def lasted(self, now_ms: int) -> int:
        """Milliseconds since it started, by the wall clock."""
        return _since(self.time, now_ms)


class Standing(NamedTuple):
    """What is open in a run. `children` in the order they started, so the innermost are last."""

    root: AgentRef | None
    children: list[Child]
    calls: list[OpenCall]
    message_id: str | None
    text: str


def standing_in(tx: Tx, user_id: str, run_id: str, first_seq: int) -> Standing:
    """Read how a run stands, from its first event to the head."""
    root: AgentRef | None = None
    children: dict[str, Child] = {}
    calls: dict[str, OpenCall] = {}
    message_id: str | None = None
    said: list[str] = []
    for kind, body in tx.sql(_STORY, (user_id, first_seq, run_id)):
        stored = _decode(body)
        agent, data = stored.agent, stored.data
        if isinstance(agent, UnsetType):
            continue
        if kind == "agent_started":
            if isinstance(agent.parent_id, UnsetType):
                root = agent
            else:
                children[agent.id] = Child(agent, stored.time)
        elif kind in ENDINGS:
            children.pop(agent.id, None)
        elif kind == "tool_executing":
            calls[data["call_id"]] = OpenCall(agent, data["call_id"], data["tool"], data["arguments"], stored.time)
        elif kind == "tool_completed":
            calls.pop(data["call_id"], None)
        elif kind == "text_delta" and root is not None and agent.id == root.id:
            message_id = data["message_id"]
            said.append(data["text"])
    return Standing(root, list(children.values()), list(calls.values()), message_id, "".join(said))

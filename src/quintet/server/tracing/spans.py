"""Facts to spans. Pure.

1. A span's trace is the run's own `trace_id`, its id is made of the id that the event has: whoever tells of a part of a run, the parts meet.
2. Nothing that anybody said, asked or got is in a span, and nobody's name: ids, names of agents and tools, states and times.
3. What has begun and never ends here (another process ended it) is forgotten after `OPEN` others.
"""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import msgspec

from quintet.events import ENDINGS, AgentRef
from quintet.log.numbers import Appended

__all__ = ["OPEN", "Span", "Spans", "request"]

OPEN = 20_000
_MS = 1_000_000  # nanoseconds
_UNDELIVERED = 5_000  # runs' batches that nobody has been handed yet
_LIVE = 60_000 * _MS  # later than this it is replay, and no delay of ours


class Span(NamedTuple):
    """`trace` has 32 hexadecimal digits; times are nanoseconds since 1970; `failed` is a code of errors.py, or a status."""

    name: str
    trace: str
    id: int
    parent: int | None
    start: int
    end: int
    about: dict[str, str | int]
    failed: str = ""


class _Data(msgspec.Struct):
    call_id: str = ""
    tool: str = ""
    status: str = ""
    duration_ms: int = 0
    error: dict[str, object] | None = None
    reason: str = ""


class _Told(msgspec.Struct):
    type: str
    time: str
    data: _Data
    run_id: str = ""
    trace_id: str = ""
    agent: AgentRef | None = None
    final: bool = False


class _Waiting(NamedTuple):
    """What was committed of a run and is not yet handed to its user's connections."""

    seq: int
    trace: str
    run: str
    committed: int
    events: int


_decode = msgspec.json.Decoder(_Told).decode


def _id(of: str) -> int:
    return int.from_bytes(sha256(of.encode()).digest()[:8]) or 1


def request(request_id: str, method: str, route: str, status: int, start: int, end: int) -> Span:
    """An answered request: a trace of its own, under an id that its log line has too."""
    about: dict[str, str | int] = {"http.request.method": method, "http.route": route, "request.id": request_id}
    about["http.response.status_code"] = status
    trace = sha256(request_id.encode()).hexdigest()[:32]
    return Span(
        f"{method} {route}", trace, _id(request_id), None, start, end, about, str(status) if status >= 500 else ""
    )


class Spans:
    """What has begun, until it ends."""

    def __init__(self) -> None:
        self._begun: dict[str, int] = {}
        self._waiting: dict[str, list[_Waiting]] = {}  # by user
        self._held = 0

    def appended(self, fact: Appended, committed: int) -> Iterator[Span]:
        """The spans that end with this commit, and the commit's own."""
        told = [_decode(draft.body) for draft in fact.drafts]
        first = next((one for one in told if one.run_id and one.trace_id), None)
        if first is None:
            return
        run = _id(first.run_id)
        about: dict[str, str | int] = {"run.id": first.run_id, "events": len(told)}
        begun = min(_nanoseconds(one.time) for one in told)
        yield Span(
            "commit", first.trace_id, _id(f"{first.run_id}/{fact.after}"), run, begun, max(begun, committed), about
        )
        for one in told:
            yield from self._of(one, committed)
        self._wait(fact, first, committed, len(told))

    def _of(self, one: _Told, committed: int) -> Iterator[Span]:
        at, agent = _nanoseconds(one.time), one.agent
        if one.type == "message_accepted":
            self._begin(one.run_id, at)
            about: dict[str, str | int] = {"run.id": one.run_id}
            yield Span(
                "submit", one.trace_id, _id(f"{one.run_id}/submit"), _id(one.run_id), at, max(at, committed), about
            )
        elif agent is None:
            return
        elif one.type == "agent_started":
            self._begin(agent.id, at)
        elif one.type == "tool_executing":
            self._begin(one.data.call_id, at)
        elif one.type == "tool_completed":
            yield self._ended(
                one, f"tool {one.data.tool}", one.data.call_id, _id(agent.id), {"tool.name": one.data.tool}
            )
        elif one.type in ENDINGS:
            parent = _id(agent.parent_id if isinstance(agent.parent_id, str) else one.run_id)
            yield self._ended(one, f"agent {agent.name}", agent.id, parent, {"agent.name": agent.name})
            if one.final:
                yield self._ended(one, "run", one.run_id, None, {"agent.name": agent.name})

    def _ended(self, one: _Told, name: str, of: str, parent: int | None, about: dict[str, str | int]) -> Span:
        end = _nanoseconds(one.time)
        begun = self._begun.pop(of, end - one.data.duration_ms * _MS)
        state = one.data.status or one.type.removeprefix("agent_")
        code = str((one.data.error or {}).get("code", "")) or (state if state not in ("ok", "completed") else "")
        return Span(
            name,
            one.trace_id,
            _id(of),
            parent,
            begun,
            max(begun, end),
            {"run.id": one.run_id, "state": state, **about},
            code,
        )

    def _begin(self, of: str, at: int) -> None:
        if len(self._begun) >= OPEN:
            del self._begun[next(iter(self._begun))]
        self._begun[of] = at

    def _wait(self, fact: Appended, first: _Told, committed: int, events: int) -> None:
        if self._held >= _UNDELIVERED:
            self._held -= len(self._waiting.pop(next(iter(self._waiting))))
        one = _Waiting(fact.after + events, first.trace_id, first.run_id, committed, events)
        self._waiting.setdefault(fact.user_id, []).append(one)
        self._held += 1

    def delivered(self, user_id: str, seq: int, at: int) -> Iterator[Span]:
        """What a connection of this user was handed, up to `seq`: how long each commit's events waited for the first of them."""
        waiting = self._waiting.pop(user_id, [])
        left = [one for one in waiting if one.seq > seq]
        if left:
            self._waiting[user_id] = left
        self._held -= len(waiting) - len(left)
        for one in waiting:
            if one.seq <= seq and at - one.committed <= _LIVE:
                about: dict[str, str | int] = {"run.id": one.run, "events": one.events}
                own = _id(f"{one.run}/{one.seq}/delivery")
                yield Span("delivery", one.trace, own, _id(one.run), one.committed, max(one.committed, at), about)


def _nanoseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000) * _MS

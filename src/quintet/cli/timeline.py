"""What a run looks like in lines: agents and their tools, nested, with durations. Pure: events in, rows out.

1. A row is final when it is made, so it can be printed and scroll away; what still runs is asked for with `running`.
2. Nothing is made up: each row is one event, each duration the server's.
3. Text of an agent or a tool cannot command the terminal: control characters are made visible.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from quintet.client import Event

__all__ = ["Row", "Running", "Timeline", "duration", "escaped", "shown"]

Kind = Literal["agent", "thought", "done", "failed", "stopped", "said"]
_WIDTH = 100
# Escapes, other control characters, and those that turn the direction of a line.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Row(NamedTuple):
    """One line. `depth` is how many agents it lies inside; `closes` the last line of its agent."""

    depth: int
    kind: Kind
    text: str
    detail: str = ""
    closes: bool = False


class Running(NamedTuple):
    """Something that is under way since `since`, on the caller's clock."""

    depth: int
    text: str
    since: float


class _Agent(NamedTuple):
    name: str
    depth: int
    parent: str | None


class Timeline:
    """The rows of one run. `clock` gives seconds; `text` is what the root agent has said so far."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._agents: dict[str, _Agent] = {}
        self._calls: dict[str, Running] = {}
        self._thinking: dict[str, Running] = {}
        self._at: str | None = None

    @property
    def running(self) -> list[Running]:
        """What is under way, the oldest first: tools, or the agent that thinks while there is no tool."""
        return list(self._calls.values()) or list(self._thinking.values())[-1:]

    def take(self, event: Event) -> list[Row]:
        """The rows of an event."""
        if not event.agent:
            return []
        make = _ROWS.get(event.type)
        return [] if make is None else list(make(self, event, event.agent.id))

    def _turn(self, agent_id: str) -> Iterator[Row]:
        """The name of the agent once more, where agents work side by side and another one has spoken."""
        agent = self._agents.get(agent_id)
        if agent is not None and self._at != agent_id:
            self._at = agent_id
            yield Row(agent.depth, "agent", agent.name, "goes on")

    def _started(self, event: Event, agent_id: str) -> Iterator[Row]:
        parent = event.agent.parent_id if event.agent else None
        above = self._agents.get(parent) if isinstance(parent, str) else None
        depth = above.depth + 1 if above else 0
        name = shown(event.agent.name if event.agent else "")
        if isinstance(parent, str):
            yield from self._turn(parent)
        self._agents[agent_id] = _Agent(name, depth, parent if isinstance(parent, str) else None)
        self._thinking[agent_id] = Running(depth + 1, f"{name} is at work", self._clock())
        self._at = agent_id
        yield Row(depth, "agent", name)

    def _thought(self, event: Event, agent_id: str) -> Iterator[Row]:
        yield from self._turn(agent_id)
        yield Row(self._inside(agent_id), "thought", shown(event.data.get("text", "")))

    def _executing(self, event: Event, agent_id: str) -> Iterator[Row]:
        text = f"{shown(event.data['tool'])}{_arguments(event.data.get('arguments'))}"
        self._calls[event.data["call_id"]] = Running(self._inside(agent_id), text, self._clock())
        return iter(())

    def _completed(self, event: Event, agent_id: str) -> Iterator[Row]:
        yield from self._turn(agent_id)
        data = event.data
        was = self._calls.pop(data["call_id"], None)
        text = was.text if was else shown(data["tool"])
        took, depth = duration(data["duration_ms"]), self._inside(agent_id)
        if data["status"] == "ok":
            yield Row(depth, "done", text, took)
        elif data["status"] == "cancelled":
            yield Row(depth, "stopped", text, f"stopped after {took}")
        else:
            yield Row(depth, "failed", text, f"{took} {shown(data.get('error', {}).get('message', ''))}".rstrip())

    def _ended(self, event: Event, agent_id: str) -> Iterator[Row]:
        agent = self._agents.get(agent_id)
        self._thinking.pop(agent_id, None)
        if agent is None:  # ended before it began: there is nothing to close
            return
        yield from self._turn(agent_id)
        kind, detail = _ending(event)
        yield Row(agent.depth + 1, kind, "", detail, closes=True)
        self._at = agent.parent

    def _inside(self, agent_id: str) -> int:
        agent = self._agents.get(agent_id)
        return agent.depth + 1 if agent else 1


_ROWS: dict[str, Callable[[Timeline, Event, str], Iterator[Row]]] = {
    "agent_started": Timeline._started,
    "agent_thinking": Timeline._thought,
    "tool_executing": Timeline._executing,
    "tool_completed": Timeline._completed,
    "agent_completed": Timeline._ended,
    "agent_failed": Timeline._ended,
    "agent_cancelled": Timeline._ended,
}


def _ending(event: Event) -> tuple[Kind, str]:
    took = duration(event.data.get("duration_ms", 0))
    if event.type == "agent_completed":
        return "done", took
    if event.type == "agent_cancelled":
        return "stopped", f"stopped after {took}"
    said = "" if event.final else shown(event.data["error"]["message"])  # the root's is said as the end of everything
    return "failed", f"{took} {said}".rstrip()


def duration(ms: float) -> str:
    """A duration for people: `12 ms`, `3.4 s`, `2 min 5 s`."""
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, rest = divmod(round(ms / 1000), 60)
    return f"{minutes} min {rest} s"


def shown(text: Any, *, lines: bool = False) -> str:
    """Text that cannot command a terminal; in one line unless `lines`."""
    safe = _COMMANDS.sub("�", str(text))
    return safe if lines else " ".join(safe.split())


def escaped(frame: bytes) -> bytes:
    """The same JSON, with what could command a terminal written as escapes: outside of strings JSON has none of it."""
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", frame.decode()).encode()


def _arguments(arguments: Any) -> str:
    """A tool's arguments in short."""
    if not isinstance(arguments, dict) or not arguments:
        return ""
    words = ", ".join(f"{name}={_short(value)}" for name, value in arguments.items())
    return f"({shown(words)})" if len(words) <= _WIDTH else f"({shown(words[: _WIDTH - 1])}…)"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:39]}…"

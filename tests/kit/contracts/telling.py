"""Valid stories by chance: runs of nested agents and parallel tools, interleaved in one user's log, as Quintet would send them.

It knows the rules from the description of the wire and shares nothing with the checks that it is held against.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from quintet.testing.contracts import Story

__all__ = ["Writer", "frames_of", "story_of"]

Body = dict[str, Any]
Step = tuple[str, Body | None, Body]  # type, agent, data


class Writer:
    """The log of one user: what was appended, with its numbers."""

    def __init__(self, rng: Random, epoch: str) -> None:
        self.rng, self.epoch = rng, epoch
        self.events: list[Body] = []
        self._names = 0

    def name(self, kind: str) -> str:
        """An id that nobody else has."""
        self._names += 1
        return f"{kind}-{self.epoch}-{self._names:04d}"

    # --- runs ---------------------------------------------------------------------------------------------------------

    def runs(self, count: int, *, depth: int = 2) -> "Writer":
        """Append `count` runs, interleaved."""
        going = [(self.name("run"), self.name("thread"), self._run(depth), [0]) for _ in range(count)]
        while going:
            run = self.rng.choice(going)
            step = next(run[2], None)
            if step is None:
                going.remove(run)
                continue
            self._append(run[0], run[1], step, run[3])
        return self

    def _append(self, run: str, thread: str, step: Step, place: list[int]) -> None:
        kind, agent, data = step
        place[0] += 1
        seq = len(self.events) + 1
        event_id = _digest(f"{self.epoch} {seq}")
        body: Body = {"v": 1, "seq": seq, "cursor": f"{self.epoch}.{seq}.{event_id[:8]}", "run_seq": place[0]}
        body |= {"type": kind, "id": event_id, "time": f"2026-01-01T00:00:00.{seq % 1000:03d}Z", "thread_id": thread}
        body |= {"run_id": run, "trace_id": _digest(run)}
        if agent is not None:
            body["agent"] = agent
        if kind in {"agent_completed", "agent_failed", "agent_cancelled"} and agent and "parent_id" not in agent:
            body["final"] = True
        self.events.append({**body, "data": data})

    def _run(self, depth: int) -> Iterator[Step]:
        message = {"message_id": self.name("m"), "client_id": self.name("c"), "text": "Please."}
        yield "message_accepted", None, message
        root = {"id": self.name("agent"), "name": "root"}
        if self.rng.random() < 0.05:
            yield "agent_cancelled", root, {"reason": "user", "duration_ms": 0}
            return
        yield from self._agent(root, depth, how=self.rng.choice(("completed", "completed", "failed", "cancelled")))

    def _agent(self, agent: Body, depth: int, how: str) -> Iterator[Step]:
        yield "agent_started", agent, {"input": "x"}
        said, step, progress = "", 0, 0.0
        message = self.name("m")
        for _ in range(self.rng.randint(0, 5)):
            act = self.rng.choice(("think", "tool", "tools", "say", "ask"))
            if act == "think":
                step, progress = step + 1, min(1.0, progress + self.rng.choice((0.0, 0.1)))
                yield "agent_thinking", agent, {"text": "Well", "step": step, "progress": progress}
            elif act == "say":
                piece = self.rng.choice(("a", "é🎻", "\U0001f9d1‍🚀 ", "of course "))
                yield "text_delta", agent, {"message_id": message, "offset": len(said), "text": piece}
                said += piece
            elif act == "ask" and depth:
                yield from self._together([self._child(agent, depth) for _ in range(self.rng.randint(1, 2))])
            else:
                yield from self._together([self._call(agent) for _ in range(1 if act == "tool" else 3)])
        if how == "completed":
            text = {"message_id": message, "text": said} if said else {"result": 1}
            yield "agent_completed", agent, {"duration_ms": 5, **text}
        elif how == "failed":
            error = {"code": "agent_error", "message": "It failed.", "retryable": False}
            yield "agent_failed", agent, {"error": error, "duration_ms": 5}
        else:
            yield "agent_cancelled", agent, {"reason": "user", "duration_ms": 5}

    def _child(self, parent: Body, depth: int) -> Iterator[Step]:
        child = {"id": self.name("agent"), "name": "child", "parent_id": parent["id"]}
        return self._agent(child, depth - 1, self.rng.choice(("completed", "failed")))

    def _call(self, agent: Body) -> Iterator[Step]:
        call = {"call_id": self.name("call"), "tool": "lookup"}
        yield "tool_executing", agent, {**call, "arguments": {}}
        if self.rng.random() < 0.2:
            error = {"code": "tool_error", "message": "No."}
            yield "tool_completed", agent, {**call, "status": "error", "error": error, "duration_ms": 1}
        else:
            yield "tool_completed", agent, {**call, "status": "ok", "result": [1], "duration_ms": 1}

    def _together(self, parts: list[Iterator[Step]]) -> Iterator[Step]:
        while parts:
            part = self.rng.choice(parts)
            step = next(part, None)
            if step is None:
                parts.remove(part)
            else:
                yield step

    # --- what a reader gets of it -------------------------------------------------------------------------------------

    def following(self, after: int) -> Body:
        """The answer to `follow` from a position."""
        cursor = self.events[after - 1]["cursor"] if after else f"{self.epoch}.0.0"
        return {"type": "following", "id": "f", "after": cursor, "last_seq": after}

    def read(self, after: int = 0, until: int | None = None) -> list[Body]:
        """A feed from a position on."""
        return [self.following(after), *self.events[after:until]]

    def folded(self) -> list[Body]:
        """The events with neighbouring pieces of one message folded into one, which stands for their range."""
        told: list[Body] = []
        for event in self.events:
            last = told[-1] if told else None
            if last is not None and _foldable(last, event):
                data = {**last["data"], "text": last["data"]["text"] + event["data"]["text"]}
                told[-1] = {**event, "first_seq": last.get("first_seq", last["seq"]), "data": data}
            else:
                told.append(event)
        return told

    def forgotten(self, thread: str) -> list[Body]:
        """The events with those of a thread gone: one event stands for each stretch of them."""
        told: list[Body] = []
        for event in self.events:
            if event["thread_id"] != thread:
                told.append(event)
                continue
            stands = {key: event[key] for key in ("v", "seq", "cursor", "time", "thread_id")}
            if told and told[-1]["type"] == "thread_deleted":
                stands["first_seq"] = told.pop()["first_seq"]
            data = {"deleted_at": "2026-01-01T00:00:01.000Z"}
            first = {"first_seq": stands.pop("first_seq", event["seq"])}
            told.append(
                {**stands, **first, "type": "thread_deleted", "id": _digest(f"gone {event['seq']}"), "data": data}
            )
        return told


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _foldable(one: Body, other: Body) -> bool:
    if one["type"] != "text_delta" or other["type"] != "text_delta":
        return False
    return bool(one["data"]["message_id"] == other["data"]["message_id"])


def frames_of(bodies: Sequence[Body]) -> list[bytes]:
    """What goes over the wire."""
    return [json.dumps(body, ensure_ascii=False).encode() for body in bodies]


def story_of(bodies: Sequence[Body], name: str = "alice", *, step: float = 0.01) -> Story:
    """A story of these frames, `step` seconds from one to the next."""
    story = Story(name, begun=0.0)
    for place, raw in enumerate(frames_of(bodies)):
        story.add(raw, (place + 1) * step, 1000.0 + place * step)
    return story

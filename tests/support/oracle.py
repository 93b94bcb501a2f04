"""The oracle: reads what clients remember beside a copy of the database, and says which promise was broken.

1. Plain functions over plain values: it starts nothing, asks no server, and shares no code with the product.
2. What clients remember is a `History`; what the files hold is a `Kept`. Both are judged, never trusted.
3. `check_left` holds at any moment, also for files of a process killed in the middle; `check_healed` when all has come to rest.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from quintet.testing.contracts import Mapping as Wire
from quintet.testing.contracts import Story
from support.kept import Kept, Row

__all__ = [
    "History",
    "check_accepted",
    "check_attempts",
    "check_dense",
    "check_endings",
    "check_healed",
    "check_left",
    "check_nothing_changed",
    "check_runs",
    "check_seen",
    "check_tiles",
    "check_tools",
    "endings",
]


class History(Protocol):
    """What a user's client remembers of all its sockets."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def user_id(self) -> str:
        """Whose it is."""

    @property
    def seen(self) -> Mapping[int, bytes]:
        """Every event that ever arrived, as it arrived, by its number."""

    @property
    def answers(self) -> Mapping[str, Mapping[str, Any]]:
        """Every answered send, by its `client_id`."""

    @property
    def reached(self) -> Mapping[str, int]:
        """By device: the number up to which everything was applied, by the client rule."""

    @property
    def faults(self) -> Sequence[str]:
        """What the client itself found to be wrong."""


_OPEN = {"queued", "running"}


# --- the whole judgement ----------------------------------------------------------------------------------------------


def check_left(kept: Kept, histories: Iterable[History], done: Sequence[str]) -> None:
    """What must hold at every moment. `done` has what the tools did, a line each; a line ends with the call's own mark."""
    check_tiles(kept)
    check_runs(kept)
    check_endings(kept)
    check_attempts(kept)
    check_tools(kept, done)
    for history in histories:
        assert not history.faults, history.faults[0]
        check_seen(kept, history)
        check_accepted(kept, history)


def check_healed(kept: Kept, histories: Sequence[History], done: Sequence[str]) -> Counter[str]:
    """What must hold when all has come to rest. Returns how the accepted runs ended, to see that faults were really met."""
    check_left(kept, histories, done)
    ended: Counter[str] = Counter()
    for history in histories:
        still = {run_id: run.state for run_id, run in kept.runs[history.user_id].items() if run.state in _OPEN}
        assert not still, f"runs of {history.name} have no end: {still}"
        check_dense(kept, history)
        ended += endings(history)
    return ended


# --- each invariant ---------------------------------------------------------------------------------------------------


def check_tiles(kept: Kept) -> None:
    """The rows of every log lie side by side, without hole or overlap, from what is kept to the head."""
    for user_id, rows in kept.rows.items():
        head = kept.heads[user_id]
        due = head.kept_after + 1
        for row in rows:
            assert row.first_seq == due, (
                f"the log of {user_id} has a hole or an overlap: {row.first_seq} where {due} was due"
            )
            assert row.seq >= row.first_seq, f"{row.first_seq}..{row.seq} is no stretch"
            due = row.seq + 1
        assert head.seq == due - 1, f"the head of {user_id} says {head.seq}, and the last row is {due - 1}"
        assert not rows or head.digest == rows[-1].digest, f"the head of {user_id} is that of another event"


def check_runs(kept: Kept) -> None:
    """All or nothing: a run, its message and its acceptance are there together; its events are numbered 1..n in the log's order."""
    for user_id, rows in kept.rows.items():
        stories = _stories(rows)
        runs = kept.runs[user_id]
        asked = Counter(message.run_id for message in kept.messages[user_id])
        assert set(stories) == set(runs) == set(asked), (
            f"of {user_id} there are {len(runs)} runs, {len(stories)} in the log, {len(asked)} with a message"
        )
        assert set(asked.values()) <= {1}, f"two messages of {user_id} have one run"
        for run_id, story in stories.items():
            numbers = [row.run_seq for row in story]
            assert numbers == list(range(1, len(story) + 1)), f"run_seq of {run_id} has a hole: {numbers}"
            assert [row.type for row in story].count("message_accepted") == 1, f"{run_id} was not accepted once"
            told = (runs[run_id].first_seq, runs[run_id].run_seq)
            assert told == (story[0].seq, len(story)), f"the row of {run_id} says {told}, its events say otherwise"


def check_endings(kept: Kept) -> None:
    """A run that has ended has one final event and nothing after it; one that has not has none."""
    for user_id, rows in kept.rows.items():
        for run_id, story in _stories(rows).items():
            finals = [row.seq for row in story if row.final]
            state = kept.runs[user_id][run_id].state
            assert len(finals) <= 1, f"{run_id} has {len(finals)} endings, at {finals}"
            assert not finals or story[-1].final, f"something of {run_id} follows its ending at {finals[0]}"
            assert bool(finals) == (state not in _OPEN), f"{run_id} is {state}, with {len(finals)} endings in the log"


def check_attempts(kept: Kept) -> None:
    """A run is begun once: no event of an attempt follows the first of a later one, for there is no later one."""
    for rows in kept.rows.values():
        for run_id, story in _stories(rows).items():
            agents = [json.loads(row.body)["agent"] for row in story if row.type == "agent_started"]
            roots = [agent["id"] for agent in agents if "parent_id" not in agent]
            assert len(roots) <= 1, f"{run_id} was begun {len(roots)} times"


def check_tools(kept: Kept, done: Sequence[str]) -> None:
    """No tool ran twice, and none ran that the log does not know: a call is durable before it runs."""
    acts = Counter(line.split(" ", 1)[-1] for line in done)  # a slow one leaves two, its beginning and its end
    again = [act for act, count in acts.items() if count > 1]
    assert not again, f"a tool ran twice: {again}"
    marks = {line.rsplit(" ", 1)[-1] for line in done}
    told = {_arguments(row.body).get("mark") for row in kept.find(type="tool_executing")}
    untold = [mark for mark in marks if mark not in told]
    assert not untold, f"a tool ran that the log does not know: {untold}"


def check_seen(kept: Kept, history: History) -> None:
    """What was delivered is in the log, under its number, with the same bytes; only a deletion may stand in its place."""
    epoch = kept.heads[history.user_id].epoch
    places = {seq: row for row in kept.rows[history.user_id] for seq in range(row.first_seq, row.seq + 1)}
    for seq, raw in history.seen.items():
        row = places.get(seq)
        assert row is not None, f"{history.name} has seen {seq}, which the log does not hold:\n{raw!r}"
        if row.type == "thread_deleted":
            continue
        body = json.loads(raw)
        numbers = (body["seq"], body["cursor"], body.get("run_seq"))
        same = raw.endswith(row.body[1:]) and numbers == (seq, f"{epoch}.{seq}.{row.digest}", row.run_seq)
        assert same, f"{history.name} has seen {seq} as\n{raw!r}\nand the log holds\n{row}"


def check_accepted(kept: Kept, history: History) -> None:
    """What was answered is a message, a run and an event of the log, once each, those of the answer."""
    messages, rows = kept.messages[history.user_id], kept.rows[history.user_id]
    accepted: dict[str, list[Row]] = {}
    for row in rows:
        if row.type == "message_accepted":
            accepted.setdefault(str(_data(row.body)["client_id"]), []).append(row)
    epoch = kept.heads[history.user_id].epoch
    for client_id, answer in history.answers.items():
        found = accepted.get(client_id, [])
        assert len(found) == 1, f"{client_id} was answered, and is {len(found)} times in the log"
        runs = [message.run_id for message in messages if message.client_id == client_id]
        assert runs == [answer["run_id"]] == [found[0].run_id], (
            f"{client_id} was answered {answer}, and is of runs {runs}"
        )
        place = f"{epoch}.{found[0].seq}.{found[0].digest}"
        assert answer["cursor"] == place, f"{client_id} was answered {answer['cursor']}, and lies at {place}"


def check_dense(kept: Kept, history: History) -> None:
    """After healing the client has everything up to the head, on each of its devices."""
    head = kept.heads[history.user_id].seq
    missed = sorted(set(range(1, head + 1)) - history.seen.keys())
    assert not missed, f"{history.name} never saw {missed[:20]} of {head}"
    assert history.reached, f"{history.name} had no device"
    behind = {device: last for device, last in history.reached.items() if last != head}
    assert not behind, f"devices of {history.name} are not at {head}: {behind}"


def check_nothing_changed(before: Kept, after: Kept) -> None:
    """What the log held it holds: the same rows under the same numbers, and no run that had ended ends again."""
    for user_id, rows in before.rows.items():
        kept = after.rows[user_id][: len(rows)]
        changed = [(old, new) for old, new in zip(rows, kept, strict=False) if old != new]
        assert not changed, f"the log of {user_id} has changed:\n{changed[0][0]}\n{changed[0][1]}"
        assert len(kept) == len(rows), f"the log of {user_id} has lost {len(rows) - len(kept)} rows"


def endings(history: History) -> Counter[str]:
    """How the accepted runs ended, as the client saw it: each story whole, its ending's type, or the code of its failure."""
    if not history.answers:
        return Counter()
    story = Story(history.name, Wire.quintet())
    for _, raw in sorted(history.seen.items()):
        story.add(raw, 0.0, 0.0)
    finals = {seen.run: seen.body for seen in story.whole() if seen.final}
    ended: Counter[str] = Counter()
    for run_id in {str(answer["run_id"]) for answer in history.answers.values()}:
        last = finals[run_id]
        ended[str(last["data"]["error"]["code"]) if last["type"] == "agent_failed" else str(last["type"])] += 1
    return ended


def _stories(rows: Iterable[Row]) -> dict[str, list[Row]]:
    stories: dict[str, list[Row]] = {}
    for row in _of_runs(rows):
        stories.setdefault(str(row.run_id), []).append(row)
    return stories


def _of_runs(rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if row.run_id is not None)


def _data(body: bytes) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(body)["data"]
    return data


def _arguments(body: bytes) -> dict[str, Any]:
    arguments = _data(body)["arguments"]
    return arguments if isinstance(arguments, dict) else {}

"""The oracle sees each breach that it is there for: a small sound history, and one thing in it broken."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from support import oracle
from support.kept import Head, Kept, Message, Row, Run

pytestmark = pytest.mark.l1

USER, RUN, EPOCH = "usr_1", "run_1", "e1"


@dataclass
class Memory:
    """What a client remembers."""

    name: str = "a client"
    user_id: str = USER
    seen: dict[int, bytes] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@dataclass
class Case:
    """A run of five events with one tool, of a user with one message; the client has seen everything."""

    kept: Kept
    memory: Memory
    done: list[str]

    @property
    def rows(self) -> list[Row]:
        """The log."""
        return self.kept.rows[USER]

    def put(self, at: int, **values: Any) -> None:
        """Change columns of one row."""
        self.rows[at] = self.rows[at]._replace(**values)

    def judge(self) -> object:
        """All of it."""
        return oracle.check_healed(self.kept, [self.memory], self.done)


STORY: list[tuple[str, dict[str, Any]]] = [
    ("message_accepted", {"message_id": "msg_1", "client_id": "c1", "text": "hello"}),
    ("agent_started", {}),
    ("tool_executing", {"call_id": "call_1", "tool": "lookup", "arguments": {"mark": "c1:0"}}),
    ("tool_completed", {"call_id": "call_1", "tool": "lookup", "status": "ok", "duration_ms": 1}),
    ("agent_completed", {"duration_ms": 2}),
]


def _row(seq: int, kind: str, data: dict[str, Any], last: bool) -> Row:
    body = {
        "type": kind,
        "id": f"{seq:08x}" * 4,
        "time": "2026-01-01T00:00:00.000Z",
        "thread_id": "thr_1",
        "run_id": RUN,
        "trace_id": "a" * 32,
        **({} if kind == "message_accepted" else {"agent": {"id": "agt_1", "name": "someone"}}),
        **({"final": True} if last else {}),
        "data": data,
    }
    return Row(seq, seq, RUN, seq, kind, f"{seq:08x}", last, json.dumps(body).encode())


def _frame(row: Row) -> bytes:
    front = f'{{"v":1,"seq":{row.seq},"cursor":"{EPOCH}.{row.seq}.{row.digest}","run_seq":{row.run_seq},'
    return front.encode() + row.body[1:]


@pytest.fixture
def case() -> Case:
    """A sound one."""
    rows = [_row(seq, kind, data, seq == len(STORY)) for seq, (kind, data) in enumerate(STORY, 1)]
    kept = Kept(
        heads={USER: Head(EPOCH, len(rows), rows[-1].digest, 0)},
        rows={USER: rows},
        runs={USER: {RUN: Run("completed", len(rows), 1)}},
        messages={USER: [Message("c1", RUN)]},
    )
    answer = {"run_id": RUN, "cursor": f"{EPOCH}.1.{rows[0].digest}"}
    memory = Memory(seen={row.seq: _frame(row) for row in rows}, answers={"c1": answer}, reached={"phone": len(rows)})
    return Case(kept, memory, ["1.0 lookup c1:0"])


def test_a_sound_history_passes(case: Case) -> None:
    """Nothing is said against it, and how its run ended is counted."""
    assert case.judge() == {"agent_completed": 1}


# --- the log ----------------------------------------------------------------------------------------------------------


def _hole(case: Case) -> None:
    del case.rows[2]


def _double(case: Case) -> None:
    case.rows.insert(2, case.rows[1])


def _overlap(case: Case) -> None:
    case.put(3, first_seq=3)


def _head_behind(case: Case) -> None:
    case.kept.heads[USER] = case.kept.heads[USER]._replace(seq=4, digest=case.rows[3].digest)


def _head_of_another_event(case: Case) -> None:
    case.kept.heads[USER] = case.kept.heads[USER]._replace(digest="ffffffff")


def _run_seq_with_a_hole(case: Case) -> None:
    case.put(4, run_seq=6)


def _second_ending(case: Case) -> None:
    case.put(3, final=True)


def _after_the_ending(case: Case) -> None:
    case.put(3, final=True)
    case.put(4, final=False)


def _no_ending(case: Case) -> None:
    case.put(4, final=False)


def _ending_of_an_open_run(case: Case) -> None:
    case.kept.runs[USER][RUN] = Run("running", 5, 1)


def _open_for_ever(case: Case) -> None:
    case.put(4, final=False)
    case.kept.runs[USER][RUN] = Run("running", 5, 1)


def _message_without_a_run(case: Case) -> None:
    case.kept.messages[USER].append(Message("c2", "run_2"))


def _run_without_a_message(case: Case) -> None:
    case.kept.messages[USER].clear()


def _run_that_counts_less(case: Case) -> None:
    case.kept.runs[USER][RUN] = Run("completed", 4, 1)


def _accepted_again(case: Case) -> None:
    case.put(1, type="message_accepted")


def _begun_again(case: Case) -> None:
    case.put(2, type="agent_started")


# --- the clients ------------------------------------------------------------------------------------------------------


def _answered_and_lost(case: Case) -> None:
    case.memory.answers["c2"] = {"run_id": "run_2", "cursor": f"{EPOCH}.2.00000002"}


def _answered_with_another_run(case: Case) -> None:
    case.memory.answers["c1"]["run_id"] = "run_2"


def _answered_with_another_place(case: Case) -> None:
    case.memory.answers["c1"]["cursor"] = f"{EPOCH}.2.00000002"


def _changed_bytes(case: Case) -> None:
    case.memory.seen[3] = case.memory.seen[3].replace(b"c1:0", b"c1:1")


def _changed_run_seq(case: Case) -> None:
    case.memory.seen[3] = case.memory.seen[3].replace(b'"run_seq":3', b'"run_seq":4')


def _changed_cursor(case: Case) -> None:
    case.memory.seen[3] = case.memory.seen[3].replace(b"e1.3.", b"e2.3.")


def _delivered_and_forgotten(case: Case) -> None:
    case.memory.seen[6] = case.memory.seen[5].replace(b'"seq":5', b'"seq":6')


def _of_another_user(case: Case) -> None:
    case.memory.seen[3] = case.memory.seen[3].replace(b"run_1", b"run_9").replace(b"00000003", b"99999999")


def _never_seen(case: Case) -> None:
    del case.memory.seen[4]


def _a_device_behind(case: Case) -> None:
    case.memory.reached["tablet"] = 4


def _the_client_found_a_fault(case: Case) -> None:
    case.memory.faults.append("event 3 came where 2 was due")


# --- the tools --------------------------------------------------------------------------------------------------------


def _tool_twice(case: Case) -> None:
    case.done.append("2.0 lookup c1:0")


def _tool_that_the_log_does_not_know(case: Case) -> None:
    case.done.append("2.0 lookup c1:1")


BREACHES: dict[Callable[[Case], None], str] = {
    _hole: "a hole or an overlap",
    _double: "a hole or an overlap",
    _overlap: "a hole or an overlap",
    _head_behind: "the head of usr_1 says 4",
    _head_of_another_event: "that of another event",
    _run_seq_with_a_hole: "run_seq of run_1 has a hole",
    _second_ending: "has 2 endings",
    _after_the_ending: "follows its ending",
    _no_ending: "is completed, with 0 endings",
    _ending_of_an_open_run: "is running, with 1 endings",
    _open_for_ever: "have no end",
    _message_without_a_run: "1 runs, 1 in the log, 2 with a message",
    _run_without_a_message: "1 runs, 1 in the log, 0 with a message",
    _run_that_counts_less: "its events say otherwise",
    _accepted_again: "was not accepted once",
    _begun_again: "begun 2 times",
    _answered_and_lost: "c2 was answered, and is 0 times in the log",
    _answered_with_another_run: "and is of runs",
    _answered_with_another_place: "and lies at",
    _changed_bytes: "and the log holds",
    _changed_run_seq: "and the log holds",
    _changed_cursor: "and the log holds",
    _delivered_and_forgotten: "which the log does not hold",
    _of_another_user: "and the log holds",
    _never_seen: r"never saw \[4\]",
    _a_device_behind: "are not at 5",
    _the_client_found_a_fault: "came where 2 was due",
    _tool_twice: "a tool ran twice",
    _tool_that_the_log_does_not_know: "that the log does not know",
}


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.__name__.strip("_"))
def test_a_breach_is_seen(case: Case, breach: Callable[[Case], None]) -> None:
    """One thing is broken, and the oracle names that one."""
    breach(case)
    with pytest.raises(AssertionError, match=BREACHES[breach]):
        case.judge()


def test_a_log_that_changed_or_shrank_between_two_copies_is_seen(case: Case) -> None:
    """Rows may only be added."""
    before = case.kept._replace(rows={USER: list(case.rows)})
    oracle.check_nothing_changed(before, case.kept)
    case.put(2, body=case.rows[2].body.replace(b"c1:0", b"c1:1"))
    with pytest.raises(AssertionError, match="has changed"):
        oracle.check_nothing_changed(before, case.kept)
    with pytest.raises(AssertionError, match="has lost 1 rows"):
        oracle.check_nothing_changed(before, case.kept._replace(rows={USER: before.rows[USER][:-1]}))


def test_a_story_that_is_not_whole_is_seen(case: Case) -> None:
    """A call that the client never saw begin."""
    case.memory.seen[4] = case.memory.seen[4].replace(b"call_1", b"call_2")
    with pytest.raises(AssertionError, match="has no tool_executing before it"):
        oracle.endings(case.memory)

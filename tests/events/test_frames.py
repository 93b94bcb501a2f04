"""An event is encoded once and spliced: what comes out is what went in, with its numbers."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec import UNSET

from quintet import events_schema
from quintet.events import (
    DATA,
    MAX_EVENT_BYTES,
    AgentRef,
    AgentStarted,
    AgentThinking,
    Data,
    TextDelta,
    TooLargeError,
    ToolCompleted,
    ToolExecuting,
    cursor,
    decode,
    draft,
    splice,
    timestamp,
)

pytestmark = pytest.mark.l1

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
values = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
data = (
    st.builds(AgentStarted, values)
    | st.builds(AgentThinking, words, st.integers(1, 10**6), st.just(UNSET) | st.floats(0, 1))
    | st.builds(ToolExecuting, names, names, st.dictionaries(words, values, max_size=4))
    | st.builds(ToolCompleted, names, names, st.just("ok"), st.integers(0, 10**9), values)
    | st.builds(TextDelta, names, st.integers(0, 10**7), words)
)
refs = st.builds(AgentRef, names, names, st.just(UNSET) | names)
validator = Draft202012Validator(events_schema.json_schema())


@given(
    data=data,
    agent=refs,
    seq=st.integers(1, 10**18 - 1),
    run_seq=st.integers(1, 2**31),
    epoch=st.from_regex(r"\A[a-z0-9]{1,16}\Z"),
    event_id=st.from_regex(r"\A[0-9a-f]{32}\Z"),
    time_ms=st.integers(0, 253402300799999),
)
def test_what_is_spliced_is_what_was_drafted(
    data: Data, agent: AgentRef, seq: int, run_seq: int, epoch: str, event_id: str, time_ms: int
) -> None:
    """For any event: the frame is valid JSON of the published shape, its numbers and its cursor are those given, and everything drafted
    is in it to the last character."""
    made = draft(data, event_id=event_id, time_ms=time_ms, thread_id="t", run_id="r", trace_id="0a" * 16, agent=agent)
    frame = splice(epoch, seq, made.digest, made.body, run_seq=run_seq)
    assert len(frame) <= MAX_EVENT_BYTES
    assert list(validator.iter_errors(json.loads(frame))) == []
    event = decode(frame)
    assert (event.v, event.seq, event.run_seq, event.id) == (1, seq, run_seq, event_id)
    assert event.cursor == cursor(epoch, seq, event_id[:8])
    assert event.agent == agent
    assert msgspec.convert(event.data, type(data)) == data
    assert DATA[event.type] is type(data)
    assert frame.endswith(made.body[1:])
    assert frame.startswith(b'{"v":1,"seq":')


def small(**changes: Any) -> bytes:
    """A frame of a small event."""
    made = draft(TextDelta("m", 0, "x"), event_id="ab" * 16, time_ms=0, thread_id="t")
    return splice("e", 5, made.digest, made.body, **changes)


def test_absent_means_absent() -> None:
    """Keys that do not apply are not there: no run, no agent, no ending, no range."""
    assert list(json.loads(small())) == ["v", "seq", "cursor", "type", "id", "time", "thread_id", "data"]
    assert "null" not in small().decode()
    assert "final" not in json.loads(small())
    assert json.loads(small(first_seq=3))["first_seq"] == 3


def test_unknown_keys_are_ignored() -> None:
    """A frame with keys of a later version is still an event."""
    assert decode(small()[:-1] + b',"later":{"a":[null]}}').seq == 5


@pytest.mark.parametrize(
    "frame", [b"", b"{", b"[]", b"null", b'{"type":"ready"}', b'{"v":1}', b"\xff", b'{"seq":null}']
)
def test_what_is_no_event_is_refused(frame: bytes) -> None:
    """Bytes that are no event are a decode error, never half an event."""
    with pytest.raises(msgspec.DecodeError):
        decode(frame)


@pytest.mark.parametrize("character", ["x", '"', "\n", "\x01", "ä", "\U0001f600"])
def test_an_event_is_at_most_64_kib(character: str) -> None:
    """The largest event that is accepted fits with the largest numbers; a character more is refused before it is stored."""

    def made(count: int) -> bytes:
        one = draft(
            TextDelta("m", 0, character * count),
            event_id="ab" * 16,
            time_ms=0,
            thread_id="t",
            run_id="r",
            trace_id="0a" * 16,
            agent=AgentRef("a", "b", "c"),
        )
        return splice("e" * 16, 10**18 - 1, one.digest, one.body, run_seq=2**31, first_seq=10**18 - 1)

    low, high = 0, 70_000
    while high - low > 1:
        middle = (low + high) // 2
        try:
            made(middle)
            low = middle
        except TooLargeError:
            high = middle
    assert MAX_EVENT_BYTES - 200 < len(made(low)) <= MAX_EVENT_BYTES
    with pytest.raises(ValueError, match="text_delta"):
        made(high)


def test_what_no_utf8_holds_is_refused() -> None:
    """A lone surrogate cannot be stored, so it cannot poison the log: encoding it raises."""
    with pytest.raises(UnicodeEncodeError):
        draft(TextDelta("m", 0, "\ud800"), event_id="ab" * 16, time_ms=0, thread_id="t")


@given(st.integers(0, 253402300799999))
def test_a_time_is_rfc_3339_in_utc_with_milliseconds(ms: int) -> None:
    """Every time reads back as the millisecond it was."""
    shown = timestamp(ms)
    assert len(shown) == 24
    assert shown.endswith("Z")
    parsed = datetime.fromisoformat(shown)
    assert (parsed - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == ms

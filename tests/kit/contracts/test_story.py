"""A story keeps what arrived, and finds the contract's fields in it."""

import json

import pytest

from quintet.testing.contracts import ContractViolation, FullError, Mapping, MappingError, Story

pytestmark = pytest.mark.l1

EVENT = {
    "v": 1,
    "seq": 4,
    "cursor": "ab.4.00112233",
    "run_seq": 3,
    "type": "tool_executing",
    "run_id": "r1",
    "agent": {"id": "a2", "name": "scout", "parent_id": "a1"},
    "data": {"call_id": "c1", "tool": "lookup", "arguments": {}},
}


def test_quintets_own_fields_are_found() -> None:
    """The default mapping reads type, order, user, run, call and parent of an event of Quintet, and keeps its bytes."""
    raw = json.dumps(EVENT).encode()
    seen = Story().add(raw, 1.0, 2.0)
    assert (seen.at, seen.wall, seen.raw, seen.body) == (1.0, 2.0, raw, EVENT)
    assert (seen.type, seen.kind, seen.event, seen.final) == ("tool_executing", "tool_executing", True, False)
    assert (seen.order, seen.user, seen.run, seen.run_order) == (4, "ab", "r1", 3)
    assert (seen.agent, seen.parent, seen.call, seen.cursor) == ("a2", "a1", "c1", "ab.4.00112233")


def test_frames_about_the_connection_are_no_events() -> None:
    """`ready` and `following` stand in the story and have no place in the order."""
    story = Story()
    assert not story.add('{"type":"ready","user_id":"u1"}').event
    following = story.add('{"type":"following","id":"f","after":"ab.7.00112233","last_seq":7}')
    assert (following.kind, following.position, following.event) == ("following", 7, False)
    assert [seen.type for seen in story] == ["ready", "following"] and not story.events


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[1]", b"null", b"[" * 100_000, b'{"type":{}}', b'{"seq":true}'])
def test_what_cannot_be_read_is_kept(raw: bytes) -> None:
    """No frame breaks the record: it is kept, without a type."""
    seen = Story().add(raw)
    assert seen.raw == raw and seen.type == "" and seen.order is None


def test_parts_keep_their_record() -> None:
    """A part by run, type, user or call holds the same frames and says whose it is."""
    story = Story("alice")
    for run in ("r1", "r2", "r1"):
        story.add(json.dumps(EVENT | {"run_id": run}))
    assert len(story.run("r1")) == 2 and story.runs == ["r1", "r2"] and story.users == ["ab"]
    assert len(story.of_type("tool_executing")) == 3 and len(story.of_call("c1")) == 3 and not story.of_user("zz")
    assert story.run("r1")[0] is story[0] and "r1" in story.run("r1").name


def test_a_run_is_asked_for_its_ending_and_its_calls() -> None:
    """What ended it, and each call with its end; what never came is an error and not an empty answer."""
    story = Story("alice")
    call = story.add(json.dumps(EVENT))
    with pytest.raises(LookupError, match=r"tool_executing .* has no end"):
        _ = story.calls
    with pytest.raises(LookupError, match=r"nothing in .* ends a run"):
        _ = story.ending
    done = story.add(json.dumps(EVENT | {"type": "tool_completed", "seq": 5}))
    end = story.add(json.dumps(EVENT | {"type": "agent_completed", "final": True, "data": {}}))
    assert story.calls == [(call, done)] and story.ending is end
    assert call["data"]["call_id"] == call.call


def test_several_readings_are_judged_as_one() -> None:
    """Frames of two connections, in the order of the log, are a record of their own: a hole between them is found."""
    first, second = Story("before"), Story("after")
    frames = [
        (first if n < 3 else second).add(json.dumps(EVENT | {"seq": n, "run_seq": n, "id": f"e{n}"}))
        for n in range(1, 6)
    ]
    assert Story.of(frames, "both").no_gap().once().name == "both"
    with pytest.raises(ContractViolation, match="position 3 missing"):
        Story.of([*first, *second[1:]]).no_gap()


def test_a_story_is_bounded() -> None:
    """A reader that receives more than is kept fails; it does not forget."""
    story = Story(limit=1)
    story.add("{}")
    with pytest.raises(FullError, match="1 frames"):
        story.add("{}")


def test_another_backends_fields_are_found() -> None:
    """Paths into lists, the envelope, alternatives, joined and carried fields."""
    mapping = Mapping.of(
        {
            "frame": {
                "type": {"path": ["@event", "state"], "join": ":"},
                "order": ["@id", "n"],
                "run": "run",
                "call": "calls.0.id",
                "carried": ["run"],
                "control": "hello",
            },
            "types": {"tool_executing": ["tool:begin"], "agent_completed": "done"},
        }
    )
    story = Story("peer", mapping)
    assert not story.add(b"{}", envelope={"event": "hello"}).event
    story.add(b'{"run":"r9"}', envelope={"event": "done", "id": "12"})
    seen = story.add(b'{"state":"begin","n":13,"calls":[{"id":"c1"}]}', envelope={"event": "tool"})
    assert (story[1].order, story[1].final, seen.order) == (12, True, 13)
    assert (seen.type, seen.kind, seen.run, seen.call) == ("tool:begin", "tool_executing", "r9", "c1")


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"frame": {"typ": "type"}}, "did you mean 'type'"),
        ({"frame": {}}, "needs `type`"),
        ({"frame": {"type": "t"}, "types": {"tool_executed": "x"}}, "did you mean 'tool_exec"),
        ({"frame": {"type": "t"}, "types": {"agent_started": "x", "agent_failed": "x"}}, "'x' is given to"),
        ({"frame": {"type": {"paht": "t"}}}, "did you mean 'path'"),
        ({"frmae": {}}, "did you mean 'frame'"),
        ({"frame": {"type": []}}, "a path"),
        ({"frame": "type"}, "is a table"),
    ],
)
def test_a_wrong_mapping_is_named(told: dict[str, object], named: str) -> None:
    """A misspelt key is an error that names the nearest one; it never becomes a field that is not offered."""
    with pytest.raises(MappingError, match=named):
        Mapping.of(told)

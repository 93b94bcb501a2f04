"""Every way in which a stream can break its contract is caught by the check it belongs to, with the event's name and its place."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from kit.contracts.telling import Body, Writer, story_of
from quintet.testing.contracts import ContractViolation, Story, isolated, resumes_exactly

pytestmark = pytest.mark.l1

SEEDS = range(8)
Mutant = Callable[[Random, list[Body]], Body]  # changes the frames; returns the event that should be named


def good(seed: int) -> list[Body]:
    """The frames of an interleaved story in which everything occurs."""
    rng = Random(seed)
    while True:
        told = Writer(rng, "alice0").runs(3).read()
        runs = {e["run_id"] for e in told[1:]}
        kinds = {e["type"] for e in told[1:]}
        said = any(e["type"] == "agent_completed" and "text" in e["data"] for e in told)
        nested = any("parent_id" in e.get("agent", {}) for e in told)
        if (
            nested
            and said
            and len(runs) == 3
            and {"tool_executing", "text_delta", "agent_thinking", "agent_completed"} <= kinds
        ):
            return told


def renumber(frames: list[Body]) -> None:
    """Give the events the numbers of a server that believes what it sends."""
    places: dict[str, int] = {}
    for seq, event in enumerate(frames[1:], 1):
        places[event["run_id"]] = places.get(event["run_id"], 0) + 1
        event["seq"], event["run_seq"] = seq, places[event["run_id"]]


def pick(rng: Random, frames: list[Body], *kinds: str, root: bool | None = None) -> Body:
    """One event of these types, of a root or not."""
    return rng.choice(
        [
            e
            for e in frames[1:]
            if (not kinds or e["type"] in kinds) and (root is None or root == ("parent_id" not in e.get("agent", {})))
        ]
    )


def place(frames: list[Body], event: Body) -> int:
    """Where it is."""
    return next(n for n, other in enumerate(frames) if other is event)


def lost(rng: Random, frames: list[Body]) -> Body:
    at = rng.randrange(1, len(frames) - 1)
    del frames[at]
    return frames[at]


def lost_first(_rng: Random, frames: list[Body]) -> Body:
    del frames[1]
    return frames[1]


def doubled(rng: Random, frames: list[Body]) -> Body:
    at = rng.randrange(1, len(frames))
    frames.insert(at, frames[at])
    return frames[at]


def reordered(rng: Random, frames: list[Body]) -> Body:
    at = rng.randrange(1, len(frames) - 1)
    frames[at], frames[at + 1] = frames[at + 1], frames[at]
    return frames[at + 1]


def unpaired(rng: Random, frames: list[Body]) -> Body:
    end = pick(rng, frames, "tool_completed")
    frames.remove(end)
    renumber(frames)
    return next(e for e in frames if e["type"] == "tool_executing" and e["data"]["call_id"] == end["data"]["call_id"])


def never_begun(rng: Random, frames: list[Body]) -> Body:
    begin = pick(rng, frames, "tool_executing")
    frames.remove(begin)
    renumber(frames)
    return next(e for e in frames if e["type"] == "tool_completed" and e["data"]["call_id"] == begin["data"]["call_id"])


def completed_twice(rng: Random, frames: list[Body]) -> Body:
    end = pick(rng, frames, "tool_completed")
    again = copy.deepcopy(end) | {"id": "another id"}
    frames.insert(place(frames, end) + 1, again)
    renumber(frames)
    return again


def same_call_id(rng: Random, frames: list[Body]) -> Body:
    begin = pick(rng, frames, "tool_executing")
    again = copy.deepcopy(begin) | {"id": "another id"}
    frames.insert(place(frames, begin) + 1, again)
    renumber(frames)
    return again


def call_id_used_again(rng: Random, frames: list[Body]) -> Body:
    end = pick(rng, frames, "tool_completed")
    begin = next(e for e in frames if e["type"] == "tool_executing" and e["data"]["call_id"] == end["data"]["call_id"])
    again = copy.deepcopy(begin) | {"id": "another id"}
    frames.insert(place(frames, end) + 1, again)
    renumber(frames)
    return again


def two_endings(_rng: Random, frames: list[Body]) -> Body:
    again = copy.deepcopy(next(e for e in frames if e.get("final"))) | {"id": "another id"}
    frames.append(again)
    renumber(frames)
    return again


def after_the_ending(_rng: Random, frames: list[Body]) -> Body:
    end = next(e for e in frames if e.get("final"))
    agent = end["agent"]
    late = copy.deepcopy(end) | {
        "type": "agent_thinking",
        "id": "another id",
        "agent": agent,
        "data": {"text": "", "step": 99},
    }
    del late["final"]
    frames.append(late)
    renumber(frames)
    return late


def no_ending(rng: Random, frames: list[Body]) -> Body:
    end = rng.choice([e for e in frames if e.get("final")])
    frames.remove(end)
    renumber(frames)
    return [e for e in frames[1:] if e["run_id"] == end["run_id"]][-1]


def gap_in_the_run(rng: Random, frames: list[Body]) -> Body:
    event = rng.choice([e for e in frames[1:] if e["run_seq"] > 1])
    for later in frames[place(frames, event) :]:
        if later["run_id"] == event["run_id"]:
            later["run_seq"] += 1
    return event


def null(rng: Random, frames: list[Body]) -> Body:
    event = pick(rng, frames)
    event["data"]["unknown"] = None
    return event


def misses_a_key(rng: Random, frames: list[Body]) -> Body:
    event = pick(rng, frames)
    del event[rng.choice(["id", "time", "thread_id", "trace_id"])]
    return event


def wrong_type_of_a_value(rng: Random, frames: list[Body]) -> Body:
    event = pick(rng, frames, "tool_completed", "agent_completed")
    event["data"]["duration_ms"] = "5"
    return event


def unknown_type(rng: Random, frames: list[Body]) -> Body:
    event = pick(rng, frames, "agent_thinking")
    event["type"] = "agent_pondering"
    return event


def offset_wrong(rng: Random, frames: list[Body]) -> Body:
    event = pick(rng, frames, "text_delta")
    event["data"]["offset"] += 1
    return event


def offset_in_bytes(rng: Random, frames: list[Body]) -> Body:
    first = pick(rng, frames, "text_delta")
    first["data"]["text"] = "é🎻"
    later = copy.deepcopy(first) | {"id": "another id"}
    later["data"]["offset"] = first["data"]["offset"] + len("é🎻".encode())
    frames.insert(place(frames, first) + 1, later)
    renumber(frames)
    return later


def text_differs(rng: Random, frames: list[Body]) -> Body:
    event = rng.choice([e for e in frames if e["type"] == "agent_completed" and "text" in e["data"]])
    event["data"]["text"] += "!"
    return event


def child_outlives_its_parent(rng: Random, frames: list[Body]) -> Body:
    end = rng.choice(
        [
            e
            for e in frames[1:]
            if "parent_id" in e.get("agent", {}) and e["type"].startswith("agent_") and "duration_ms" in e["data"]
        ]
    )
    whole = next(
        e
        for e in frames
        if e["type"] != "agent_started"
        and e.get("agent", {}).get("id") == end["agent"]["parent_id"]
        and "duration_ms" in e["data"]
        and "tool" not in e["data"]
    )
    frames.remove(end)
    frames.insert(place(frames, whole) + 1, end)
    renumber(frames)
    return whole


def another_parent(rng: Random, frames: list[Body]) -> Body:
    started = [e for e in frames[1:] if e.get("agent", {}).get("parent_id")]
    event = rng.choice([e for e in started if e["type"] != "agent_started"])
    event["agent"] = event["agent"] | {"parent_id": "somebody else"}
    return event


def second_start(rng: Random, frames: list[Body]) -> Body:
    start = pick(rng, frames, "agent_started")
    again = copy.deepcopy(start) | {"id": "another id"}
    frames.insert(place(frames, start) + 1, again)
    renumber(frames)
    return again


def not_accepted(_rng: Random, frames: list[Body]) -> Body:
    run = frames[1]["run_id"]
    del frames[1]
    renumber(frames)
    return next(e for e in frames[1:] if e["run_id"] == run)


def progress_falls(rng: Random, frames: list[Body]) -> Body:
    event = pick(rng, frames, "agent_thinking")
    later = copy.deepcopy(event) | {"id": "another id"}
    event["data"]["progress"], later["data"]["progress"] = 0.9, 0.8
    later["data"]["step"] += 1
    frames.insert(place(frames, event) + 1, later)
    renumber(frames)
    return later


def to_the_wrong_user(rng: Random, frames: list[Body]) -> Body:
    other = Writer(rng, "bob000").runs(1)
    event = rng.choice(other.events)
    frames.insert(rng.randrange(1, len(frames) + 1), event)
    return event


def after_a_resync(rng: Random, frames: list[Body]) -> Body:
    at = rng.randrange(1, len(frames))
    frames.insert(at, {"type": "resync", "reason": "epoch", "first": "x"})
    return frames[at + 1]


def another_thread(rng: Random, frames: list[Body]) -> Body:
    event = rng.choice([e for e in frames[1:] if e["run_seq"] > 1])
    event["thread_id"] = "somewhere else"
    return event


def another_trace(rng: Random, frames: list[Body]) -> Body:
    event = rng.choice([e for e in frames[1:] if e["run_seq"] > 1])
    event["trace_id"] = "0" * 32
    return event


MUTANTS: list[tuple[Mutant, str]] = [
    (lost, "no_gap"),
    (lost_first, "no_gap"),
    (doubled, "once"),
    (reordered, "sequence"),
    (reordered, "no_gap"),
    (unpaired, "pairs"),
    (never_begun, "pairs"),
    (completed_twice, "pairs"),
    (same_call_id, "pairs"),
    (call_id_used_again, "pairs"),
    (two_endings, "closed"),
    (after_the_ending, "closed"),
    (no_ending, "closed"),
    (gap_in_the_run, "no_gap"),
    (null, "schema"),
    (misses_a_key, "schema"),
    (wrong_type_of_a_value, "schema"),
    (unknown_type, "schema"),
    (offset_wrong, "pieces"),
    (offset_in_bytes, "pieces"),
    (text_differs, "pieces"),
    (child_outlives_its_parent, "sequence"),
    (another_parent, "sequence"),
    (second_start, "sequence"),
    (not_accepted, "sequence"),
    (progress_falls, "sequence"),
    (another_thread, "sequence"),
    (another_trace, "sequence"),
    (to_the_wrong_user, "only_user"),
    (after_a_resync, "no_gap"),
]


@pytest.mark.parametrize(("mutant", "check"), MUTANTS, ids=lambda it: getattr(it, "__name__", it))
def test_a_mutant_is_caught(mutant: Mutant, check: str) -> None:
    """In every story the check raises, names the event by its type, and `whole` sees it too."""
    for seed in SEEDS:
        frames = copy.deepcopy(good(seed))
        getattr(story_of(frames), check)()
        event = mutant(Random(seed), frames)
        story = story_of(frames)
        with pytest.raises(ContractViolation) as caught:
            getattr(story, check)()
        assert caught.value.check == check and event["type"] in caught.value.what, (seed, str(caught.value))
        marked = [line for line in str(caught.value).splitlines() if line.startswith("▶") or " ▶" in line]
        assert marked, str(caught.value)
        with pytest.raises(ContractViolation):
            story.whole()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_late_is_caught(seed: int) -> None:
    """An event that was held back for a second is named: by its run's pace, by its partner, by its own stamp."""
    frames = good(seed)
    at = next(n for n, e in enumerate(frames) if e["type"] == "tool_completed")
    begun = next(
        e for e in frames if e["type"] == "tool_executing" and e["data"]["call_id"] == frames[at]["data"]["call_id"]
    )
    story = Story("alice", begun=0.0)
    for place_, body in enumerate(frames):
        if place_:
            body["time"] = f"1970-01-01T00:00:00.{place_:03d}Z"
        late = 1.0 if place_ >= at else 0.0
        story.add(story_of([body])[0].raw, place_ / 1000 + late, place_ / 1000 + late)
    assert story.within(2.0).within(2.0, "tool_executing", "tool_completed").within(2.0, stamped=True)
    pace: dict[str, Any] = {"seconds": 0.5}
    for ask in (pace, pace | {"first": "tool_executing", "then": "tool_completed"}, pace | {"stamped": True}):
        with pytest.raises(ContractViolation, match=r"tool_completed .* came 1\.0.. s after"):
            story.within(**ask)
    with pytest.raises(ContractViolation, match=r"tool_completed .* came after 1"):
        story.within(0.5, "tool_completed")
    with pytest.raises(ContractViolation, match=r"tool_completed .* came after 1"):
        story.of_call(begun["data"]["call_id"]).within(0.5, "tool_completed", since=0.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_resume_that_is_not_exact_is_caught(seed: int) -> None:
    """One skipped, one sent again, other bytes, an early end: each is named, with order alone or beside an uncut reading."""
    rng, frames = Random(seed), good(seed)
    at = rng.randrange(2, len(frames) - 1)
    before, uncut = story_of(frames[:at]), story_of(frames)
    resumes_exactly(before, story_of(frames[at:]), uncut)
    with pytest.raises(ContractViolation, match=f"missing between .* {frames[at + 1]['type']} .*hole"):
        resumes_exactly(before, story_of(frames[at + 1 :]))
    with pytest.raises(ContractViolation, match=f"{frames[at - 1]['type']} .*double"):
        resumes_exactly(before, story_of(frames[at - 1 :]))
    other = [frames[at] | {"id": "another id"}, *frames[at + 1 :]]
    with pytest.raises(ContractViolation, match=f"{frames[at]['type']} .* other bytes"):
        resumes_exactly(before, story_of(other), uncut)
    with pytest.raises(ContractViolation, match=f"{frames[-1]['type']} .* never came"):
        resumes_exactly(before, story_of(frames[at:-1]), uncut)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_reaches_another_user_is_caught(seed: int) -> None:
    """An event of one user in the other's story is named, whether its frames tell their user or not."""
    rng = Random(seed)
    alice, bob = Writer(rng, "alice0").runs(2), Writer(rng, "bob000").runs(2)
    event = rng.choice(alice.events)
    theirs = bob.read()
    theirs.insert(rng.randrange(1, len(theirs)), event)
    for one, other in (
        (story_of(alice.read()), story_of(theirs, "bob")),
        (story_of(theirs, "bob"), story_of(alice.read())),
    ):
        with pytest.raises(ContractViolation, match=f"bob received {event['type']} ") as caught:
            isolated(one, other)
        assert caught.value.record.name == "bob"
    with pytest.raises(ContractViolation, match=event["type"]):
        story_of(theirs, "bob").only_user(foreign=[event["run_id"]])


def test_noise_in_silence_is_caught() -> None:
    """An event within the silence is named; a story that nobody listened to proves no silence."""
    frames = good(1)
    story = story_of(frames)
    end = story[-1]
    with pytest.raises(ContractViolation, match=r"listened to for 0\.000 s only"):
        story.silence(1.0)
    story.listened(end.at + 1.0)
    story.silence(1.0).silence(1.0, after=end).silence(0.5, after=end.at + 0.5)
    story.add(story_of([frames[3]])[0].raw, end.at + 0.9)
    with pytest.raises(ContractViolation, match=rf"{frames[3]['type']} .* 0.900 s into 1.0 s"):
        story.silence(1.0, after=end)
    story.silence(0.5, after=end).silence(1.0, "no_such_type", after=end)


def test_other_bytes_on_a_second_reading_are_caught() -> None:
    """What a feed repeats after it began again are the very bytes that it sent before."""
    frames = good(2)
    changed = [frames[0], *frames[1:-1], frames[-1] | {"id": "another id"}]
    with pytest.raises(ContractViolation, match=f"{frames[-1]['type']} .* other bytes"):
        story_of([*frames, *changed]).once()

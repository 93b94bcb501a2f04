"""Breaches that one check alone can see: nothing else in the story is wrong, so whoever drops that check passes them."""

import copy
import json
from random import Random
from typing import Any

import pytest

from kit.contracts.telling import Body, Writer, story_of
from kit.contracts.test_mutants import SEEDS, good, place, renumber
from quintet.testing.contracts import ContractViolation, Mapping, Story, isolated, resumes_exactly

pytestmark = pytest.mark.l1

PLAIN = Mapping.of({"name": "plain", "frame": {"type": "kind", "order": "n", "run": "job"}})


def breach(frames: list[Body], check: str, words: str) -> None:
    """The check raises with these words, and `whole` raises too."""
    with pytest.raises(ContractViolation, match=words) as caught:
        getattr(story_of(frames), check)()
    assert caught.value.check == check
    with pytest.raises(ContractViolation):
        story_of(frames).whole()


def completed(rng: Random, frames: list[Body]) -> tuple[Body, Body]:
    """A tool's call: how it begins and how it ends."""
    end = rng.choice([e for e in frames if e["type"] == "tool_completed"])
    mark = end["data"]["call_id"]
    return next(e for e in frames if e["type"] == "tool_executing" and e["data"]["call_id"] == mark), end


@pytest.mark.parametrize("seed", SEEDS)
def test_a_call_id_is_of_one_call(seed: int) -> None:
    """A second call under the id of one that has ended is a breach, though both begin and end as they should."""
    frames = copy.deepcopy(good(seed))
    begin, end = completed(Random(seed), frames)
    again = [copy.deepcopy(begin) | {"id": "another id"}, copy.deepcopy(end) | {"id": "a third id"}]
    at = place(frames, end) + 1
    frames[at:at] = again
    renumber(frames)
    breach(frames, "pairs", "tool_executing .* has the call id of another")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_call_ends_with_the_agent_that_made_it(seed: int) -> None:
    """The end of a call that another agent tells is a breach, though that agent is at work."""
    frames = copy.deepcopy(good(seed))
    begin, end = completed(Random(seed), frames)
    run = [e for e in frames[1:] if e["run_id"] == begin["run_id"]]
    started = run[1]["agent"] if run[1]["agent"]["id"] != begin["agent"]["id"] else None
    end["agent"] = started or {"id": "agent of nobody", "name": "somebody"}
    with pytest.raises(ContractViolation, match=r"tool_completed .* is of agent") as caught:
        story_of(frames).pairs()
    assert caught.value.check == "pairs"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_child_starts_inside_a_parent_that_is_there(seed: int) -> None:
    """An agent that was called by nobody of its run is a breach, though it says the same parent all its life."""
    frames = copy.deepcopy(good(seed))
    child = next(e for e in frames[1:] if e["type"] == "agent_started" and "parent_id" in e["agent"])
    for event in frames[1:]:
        if event.get("agent", {}).get("id") == child["agent"]["id"]:
            event["agent"] = event["agent"] | {"parent_id": "agent-of-nobody"}
    breach(frames, "sequence", "agent_started .* starts outside of its parent agent-of-nobody")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_root_starts_before_anything_is_told(seed: int) -> None:
    """What follows an acceptance and is no start is a breach, though it names no agent whose start could be missed."""
    frames = copy.deepcopy(good(seed))
    accepted = next(e for e in frames if e["type"] == "message_accepted")
    early = copy.deepcopy(accepted) | {"id": "another id", "type": "agent_thinking", "data": {"text": "", "step": 1}}
    frames.insert(place(frames, accepted) + 1, early)
    renumber(frames)
    with pytest.raises(ContractViolation, match=r"agent_thinking .* follows message_accepted"):
        story_of(frames).sequence()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_foreign_mark_is_found_in_what_is_ones_own(seed: int) -> None:
    """A word of somebody else's inside an event of one's own is a breach: every byte counts, not only what names a user."""
    frames = Writer(Random(seed), "alice0").runs(1).read()
    story_of(frames).only_user(foreign=["canary-of-bob"])
    event = Random(seed).choice(frames[1:])
    event["data"]["note"] = "I have heard of canary-of-bob."
    with pytest.raises(ContractViolation, match=f"{event['type']} .* holds 'canary-of-bob'") as caught:
        story_of(frames).only_user(foreign=["canary-of-bob"])
    assert caught.value.check == "only_user"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reading_that_was_cut_has_nothing_of_its_own(seed: int) -> None:
    """An event that the uncut reading does not have is a breach; one that stands there among others, in one event for all, is none."""
    log = Writer(Random(seed), "alice0").runs(3)
    whole = log.read()
    at = Random(seed).randrange(2, len(whole) - 1)
    before, after = story_of(whole[:at]), story_of(whole[at:])
    resumes_exactly(before, after, story_of([log.following(0), *log.folded()]))
    gone = whole[at]
    with pytest.raises(ContractViolation, match=f"{gone['type']} .* is not in the reading that was not cut"):
        resumes_exactly(before, after, story_of([event for event in whole if event is not gone]))


def test_what_stands_for_others_now_may_come_in_their_place() -> None:
    """Read again from the beginning, pieces that the log has joined meanwhile are no other bytes of the same event."""
    joined = 0
    for seed in SEEDS:
        log = Writer(Random(seed), "alice0").runs(3)
        joined += sum("first_seq" in event for event in log.folded())
        story_of([*log.read(), log.following(0), *log.folded()]).once()
        story_of([log.following(0), *log.folded(), *log.read()]).once()
    assert joined, "nothing was joined, so nothing was proven"


def test_a_pair_is_of_the_two_types_that_were_asked_for() -> None:
    """What lies between the two, of the same run and agent, is not the second one: a late ending after early words is late."""
    frames = Writer(Random(1), "alice0").runs(1).read()
    late = frames[-1]
    assert len(frames) > 4, "there is nothing between the two"
    story = Story("alice", begun=0.0)
    for at, body in enumerate(frames):
        when = at / 1000 + (5.0 if at >= place(frames, late) else 0.0)
        story.add(json.dumps(body, ensure_ascii=False).encode(), when, when)
    story.within(10.0, "message_accepted", late["type"])
    with pytest.raises(ContractViolation, match=rf"{late['type']} .* came 5\.... s after its message_accepted"):
        story.within(1.0, "message_accepted", late["type"])


STAMPED = Mapping.of({"name": "stamped", "frame": {"type": "kind", "order": "n", "run": "job", "time": "at"}})


@pytest.mark.parametrize("stamp", ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", 1767225600, 1767225600000])
def test_a_stamp_is_an_instant_however_it_is_written(stamp: str | int) -> None:
    """RFC 3339 in any zone, seconds and milliseconds since 1970: late is what came so much later by the wall clock."""
    story = Story("alice", begun=0.0, mapping=STAMPED)
    story.add(json.dumps({"kind": "tick", "n": 1, "job": "j", "at": stamp}).encode(), 0.1, 1767225602.0)
    story.within(2.5, stamped=True)
    with pytest.raises(ContractViolation, match=r"tick .* came 2\.000 s after its own stamp"):
        story.within(1.5, stamped=True)


def told(*frames: dict[str, Any], name: str) -> Story:
    """What a backend sent that says no users."""
    story = Story(name, begun=0.0, mapping=PLAIN)
    for at, frame in enumerate(frames, 1):
        story.add(json.dumps({"kind": "tick", "n": at, **frame}).encode(), at / 100, 1000 + at / 100)
    return story


def test_what_reached_another_is_found_where_no_frame_names_a_user() -> None:
    """By an id of one in an event of the other, by one in any byte, by a mark; ids that counters make are nobody's."""
    alice = told({"job": "job-of-alice-1"}, {"job": "7"}, name="alice")
    isolated(alice, told({"job": "job-of-bob-1"}, {"job": "7"}, name="bob"))
    for stray in ({"job": "job-of-alice-1"}, {"job": "job-of-bob-1", "note": "see job-of-alice-1, please"}):
        bob = told({"job": "job-of-bob-1"}, stray, name="bob")
        for one, other in ((alice, bob), (bob, alice)):
            with pytest.raises(ContractViolation, match=r"bob received tick .*job-of-alice-1.* of alice|.* of bob"):
                isolated(one, other)
    bob = told({"job": "job-of-bob-1", "note": "her cat is called mouse"}, name="bob")
    isolated(alice, bob)
    with pytest.raises(ContractViolation, match=r"bob received tick .*mouse.* of alice"):
        isolated(alice, bob, marks=(["mouse"], ["bird"]))
    with pytest.raises(ContractViolation, match=r"bob received tick .*mouse.* of alice"):
        isolated(bob, alice, marks=(["bird"], ["mouse"]))

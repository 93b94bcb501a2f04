"""No check raises an alarm on a story that keeps the rules, however it is interleaved, cut, folded or read again."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.contracts.telling import Body, Writer, story_of
from quintet.testing.contracts import ContractViolation, Mapping, Story, isolated, resumes_exactly, whole

pytestmark = pytest.mark.l1

CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]
GOOD = settings(max_examples=200, deadline=None, suppress_health_check=CALM)
SOME = settings(GOOD, max_examples=40)
# From a seed come long stories, from hypothesis' own choices short ones that it can make shorter.
chance = st.integers(0, 2**32).map(Random) | st.randoms(use_true_random=False)
count = st.integers(1, 4)


def clean(story: Story) -> None:
    """What holds of every reading, also of one that is not whole."""
    story.sequence().pairs().no_gap().once().pieces().only_user().schema()
    for run in story.runs[:1]:
        story.run(run).sequence().pairs().no_gap().once().pieces()


@GOOD
@given(chance, count)
def test_a_whole_reading(rng: Random, runs: int) -> None:
    """Interleaved runs, read from the beginning to the end: every check passes, alone and together, and for each run by itself."""
    story = story_of(Writer(rng, "alice0").runs(runs).read())
    whole(story).closed().within(0.011 * len(story), "message_accepted").within(10.0).silence(0)
    assert all(story.run(run)[-1].final for run in story.runs)
    story.run(story.runs[-1]).whole()


@SOME
@given(chance, count, st.data())
def test_a_reading_that_begins_and_ends_anywhere(rng: Random, runs: int, data: st.DataObject) -> None:
    """A reader that came late and left early is not blamed for what it did not see."""
    writer = Writer(rng, "alice0").runs(runs)
    start = data.draw(st.integers(0, len(writer.events)))
    stop = data.draw(st.integers(start, len(writer.events)))
    if stop > start:
        clean(story_of(writer.read(start, stop)))
        clean(story_of(writer.read(start, stop)[1:]))  # a stream that does not say where it begins


@SOME
@given(chance, count, st.data())
def test_a_reading_that_was_cut(rng: Random, runs: int, data: st.DataObject) -> None:
    """Cut anywhere and resumed, the parts are one; followed again from an older position in one story, nothing is double."""
    writer = Writer(rng, "alice0").runs(runs)
    cut = data.draw(st.integers(0, len(writer.events)))
    uncut = story_of(writer.read())
    resumes_exactly(story_of(writer.read(0, cut)), story_of(writer.read(cut)), uncut)
    older = data.draw(st.integers(0, cut))
    clean(whole(story_of([*writer.read(0, cut), *writer.read(older)])).closed())


@SOME
@given(chance, count, st.data())
def test_a_reading_that_jumped(rng: Random, runs: int, data: st.DataObject) -> None:
    """After a resync the feed begins at a later position: what lies in the jump is nobody's fault."""
    writer = Writer(rng, "alice0").runs(runs)
    cut = data.draw(st.integers(0, len(writer.events) - 1))
    later = data.draw(st.integers(cut, len(writer.events) - 1))
    resync: Body = {"type": "resync", "reason": "too_old", "first": "x"}
    clean(story_of([*writer.read(0, cut), resync, *writer.read(later)]))


@SOME
@given(chance, count, st.data())
def test_a_log_that_was_restored(rng: Random, runs: int, data: st.DataObject) -> None:
    """A copy of the log is put back: after the resync its events come again, under another epoch."""
    writer = Writer(rng, "alice0").runs(runs)
    cut = data.draw(st.integers(0, len(writer.events)))
    resync: Body = {"type": "resync", "reason": "epoch", "first": "alice1.0.0"}
    before = writer.read(0, cut)
    writer.epoch = "alice1"
    again = [{**e, "cursor": e["cursor"].replace("alice0", "alice1")} for e in writer.events]
    clean(story_of([*before, resync, writer.following(0), *again]))


@SOME
@given(chance, count, st.data())
def test_ranges(rng: Random, runs: int, data: st.DataObject) -> None:
    """Folded pieces and forgotten threads stand for their ranges, also for a reader inside of one."""
    writer = Writer(rng, "alice0").runs(runs)
    folded = [writer.following(0), *writer.folded()]
    clean(whole(story_of(folded)).closed())
    cut = data.draw(st.integers(0, len(writer.events)))
    rest = [{**e, "first_seq": max(e["first_seq"], cut + 1)} if "first_seq" in e else e for e in writer.folded()]
    rest = [e for e in rest if e["seq"] > cut]
    resumes_exactly(story_of(writer.read(0, cut)), story_of([writer.following(cut), *rest]), story_of(writer.read()))
    clean(story_of([*writer.read(0, cut), writer.following(cut), *rest]).closed())
    thread = data.draw(st.sampled_from(sorted({e["thread_id"] for e in writer.events})))
    gone = [e for e in writer.forgotten(thread) if e["seq"] > cut]
    gone = [{**e, "first_seq": max(e["first_seq"], cut + 1)} if "first_seq" in e else e for e in gone]
    clean(story_of([*writer.read(0, cut), writer.following(cut), *gone]).closed())


@SOME
@given(chance, count, count)
def test_two_users(rng: Random, runs: int, others: int) -> None:
    """Two users whose runs have nothing in common are isolated."""
    alice, bob = Writer(rng, "alice0").runs(runs), Writer(rng, "bob000").runs(others)
    marks = (["alice0"], ["bob000"])
    isolated(story_of(alice.read()), story_of(bob.read(), "bob"), marks=marks)


def test_an_order_that_begins_with_0() -> None:
    """Positions of another backend may begin with 0, and its runs may have no positions of their own."""
    frame = {"type": "type", "order": "n", "run": "run"}
    mapping = Mapping.of({"frame": frame, "types": {"agent_started": "begin", "agent_completed": "end"}})
    story = Story("peer", mapping)
    for n, (kind, run) in enumerate([("begin", "a"), ("begin", "b"), ("end", "a"), ("other", "b"), ("end", "b")]):
        story.add(f'{{"type":"{kind}","n":{n},"run":"{run}"}}')
    story.whole()
    story.add('{"type":"end","n":0,"run":"b"}')
    with pytest.raises(ContractViolation, match=r"end .* second ending"):
        story.closed()


@pytest.mark.parametrize("marked", [True, False])
def test_a_backend_with_habits_of_its_own(marked: bool) -> None:
    """Types without a word in the contract before the start, parents named where a child starts alone, calls without ids, an ending that
    is marked or is not: no alarm, and what is wrong is seen all the same."""
    frame = {"type": "type", "run": "run", "agent": "who", "parent": "by"} | ({"final": "last"} if marked else {})
    kinds = {"agent_started": "begin", "tool_executing": "use", "tool_completed": "used", "agent_completed": "end"}
    story = Story("peer", Mapping.of({"frame": frame, "types": kinds}))
    for kind, who, more in [
        ("queued", "a", ""),
        ("begin", "a", ""),
        ("begin", "b", ',"by":"a"'),
        ("use", "b", ""),
        ("use", "b", ""),
        ("used", "b", ""),
        ("used", "b", ""),
        ("end", "b", ""),
        ("end", "a", ',"last":true'),
    ]:
        story.add(f'{{"type":"{kind}","who":"{who}","run":"r"{more}}}')
    story.whole()
    assert [seen.final for seen in story] == [False] * 8 + [True]
    story.add('{"type":"used","who":"a","run":"r"}')
    with pytest.raises(ContractViolation, match=r"used .* has no tool_executing before it"):
        story.pairs()
    with pytest.raises(ContractViolation, match=r"used .* comes after the ending"):
        story.closed()

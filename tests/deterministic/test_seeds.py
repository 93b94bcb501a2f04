"""P2 to P9 under every order of steps that a seed can think of: one thread plays the whole core, and an oracle judges each story.

`DETERMINISTIC_SEEDS` sets how many (30), `DETERMINISTIC_SEED` repeats one.
"""

import os
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from deterministic.defects import DEFECTS, Plant
from deterministic.judgement import bounded, judge
from deterministic.story import Story
from support.databases import SqliteDatabase

pytestmark = pytest.mark.l2

COUNT = int(os.environ.get("DETERMINISTIC_SEEDS", "30"))
SEED = int(os.environ.get("DETERMINISTIC_SEED", "0"))
AGAIN = (
    "again: DETERMINISTIC_SEED={} .venv/bin/python -m pytest tests/deterministic/test_seeds.py -k whatever_comes_first"
)


def play(seed: int, folder: Path, *, prepare: Sequence[Callable[[Story], None]] = ()) -> tuple[Story, Counter[str]]:
    """Play one seed and judge it. What is raised names the command that repeats it."""
    folder.mkdir()
    path = SqliteDatabase(folder).path
    story, ended = Story(seed, path), Counter[str]()
    for step in prepare:
        step(story)
    story.scheduler.each.append(lambda: bounded(story))
    try:
        story.play(lambda told: ended.update(judge(told, path)))
    except BaseException as fault:
        fault.add_note(AGAIN.format(seed))
        raise
    return story, ended


def test_whatever_comes_first_the_promises_hold(tmp_path: Path, figure: Callable[[str], None]) -> None:
    """Every order of steps."""
    seeds = [SEED] if SEED else random.sample(range(1, 1 << 32), COUNT)
    met: Counter[str] = Counter()
    for seed in seeds:
        story, ended = play(seed, tmp_path / str(seed))
        met += ended
        met.update({"steps": story.scheduler.steps, "events": len(story.store.committed_at)})
    figure(f"{len(seeds)} seeds: {dict(met)}")


def test_a_seed_is_the_same_story_again(tmp_path: Path) -> None:
    """Two runs of one seed take the same steps at the same times: what has failed once can be looked at."""
    seeds = random.sample(range(1, 1 << 32), 2)
    first, again = ([play(seed, tmp_path / f"{place} {seed}")[0] for seed in seeds] for place in ("first", "again"))
    told = [(story.scheduler.steps, story.scheduler.trace, story.scheduler.now) for story in (*first, *again)]
    assert told[:2] == told[2:]
    assert told[0] != told[1]


WITHIN = 150  # seeds; each of these defects is seen within thirty


@pytest.mark.sabotage
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda plant: plant.__name__)
def test_a_known_defect_is_seen(
    defect: Plant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    figure: Callable[[str], None],
    record_property: Callable[[str, object], None],
) -> None:
    """The stories and their oracle bite: within a number of seeds each planted defect turns one red, and for its own reason."""
    record_property("sabotage", f"P{DEFECTS[defect].promise:<3} {defect.__name__}, by seeds")
    prepare: list[Callable[[Story], None]] = []
    defect(monkeypatch, prepare)
    for seed in range(1, WITHIN + 1):
        try:
            play(seed, tmp_path / str(seed), prepare=prepare)
        except Exception as fault:
            figure(f"seen by seed {seed}: {str(fault)[:80]!r}")
            assert re.search(DEFECTS[defect].says, f"{type(fault).__name__}: {fault}"), "red, but for another reason"
            return
    pytest.fail(f"{WITHIN} seeds are green with {defect.__name__}")

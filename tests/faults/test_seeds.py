"""Seeds: for each, some of all the faults after each other, on a server under load behind a bad network; then the oracle.

`FAULT_SEEDS` sets how many (6), `FAULT_SEED` the first of them, `FAULT_AT_ONCE` how many at a time (2). `make faults` plays 200.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.scene import FAULTS, drawn, play

SEEDS = int(os.environ.get("FAULT_SEEDS", "6"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.randrange(1, 1 << 32)
AT_ONCE = int(os.environ.get("FAULT_AT_ONCE", "2"))
MOST_FOUND = 5  # seeds that failed, after which no more are played
MANY = 100  # so many seeds must have met everything
SELDOM = (
    "deaths at a point",
    "deaths at any moment",
    "restarts",
    "stood still",
    "taken",
    "fenced",
    "wakes lost",
    "wakes doubled",
    "wakes late",
    "slow",
    "gone",
    "full",
    "storage_full",
    "clock jumps",
    "renewed",
    "resumed",
    "resumed inside a run",
    "repeated",
    "worker_lost",
    "resets",
    "cuts",
    "half-closes",
    "stalls",
)

pytestmark = pytest.mark.hang_guard(120 + 60 * SEEDS)


@pytest.mark.l1
def test_a_seed_stands_for_its_faults_and_all_faults_are_drawn() -> None:
    """The same each time; and of a few hundred seeds none of the faults is missing."""
    assert drawn(5)[1:] == drawn(5)[1:]
    assert {name for seed in range(200) for name in drawn(seed)[1]} == {*FAULTS}


@pytest.mark.l3
async def test_what_was_promised_holds_under_every_seed(tmp_path: Path, figure: Callable[[str], None]) -> None:
    """Nothing lost, doubled, changed or left open; what was seldom was met, or so many seeds have proven nothing."""
    met: Counter[str] = Counter()
    begun, seeds = time.monotonic(), iter(range(SEED, SEED + SEEDS))
    found: list[Exception] = []
    await asyncio.gather(*(_play_on(seeds, tmp_path, met, found) for _ in range(min(AT_ONCE, SEEDS))))
    told = ", ".join(f"{name} {met[name]}" for name in SELDOM)
    figure(
        f"{SEEDS} seeds from {SEED} in {time.monotonic() - begun:.0f} s: {told}; runs completed {met['agent_completed']}"
    )
    if found:
        raise ExceptionGroup(f"{len(found)} of {SEEDS} seeds", found)
    missing = [name for name in SELDOM if not met[name]]
    assert SEEDS < MANY or not missing, f"never met: {missing}"


async def _play_on(seeds: Iterator[int], folder: Path, met: Counter[str], found: list[Exception]) -> None:
    for seed in seeds:
        begun, held = time.monotonic(), "held"
        try:
            met.update(await play(seed, folder / str(seed)))
        except Exception as fault:
            again = f"FAULT_SEED={seed} FAULT_SEEDS=1 .venv/bin/python -m pytest tests/faults/test_seeds.py"
            held = f"FAILED, again: {again}"
            fault.add_note(held)
            found.append(fault)
        met["seeds"] += 1
        took, acts = time.monotonic() - begun, ", ".join(drawn(seed)[1])
        sys.stderr.write(f"{met['seeds']:>4}/{SEEDS}  seed {seed}  {took:5.1f} s  {acts}: {held}\n")
        if len(found) >= MOST_FOUND:
            return

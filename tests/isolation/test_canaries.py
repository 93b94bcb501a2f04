"""P6, the canary machine: `CANARY_EXAMPLES` sets how many examples (16) are tried, `CANARY_SEED` repeats a run."""

import os
import random
from collections.abc import Callable

import pytest

from support.checks.canaries import check_canaries
from support.server import Server

pytestmark = pytest.mark.l3

EXAMPLES = int(os.environ.get("CANARY_EXAMPLES", "16"))
STEPS = 40
SEED = int(os.environ.get("CANARY_SEED", "0")) or random.randrange(1, 1 << 32)


@pytest.mark.hang_guard(120 + 20 * EXAMPLES)
async def test_no_canary_flies_over(server: Server, figure: Callable[[str], None]) -> None:
    """Whatever three users do with their own and each other's ids, cursors, tokens and sessions: nothing of one reaches another, in no
    answer, frame, stream or line of the log; each has all of their own."""
    try:
        figure(await check_canaries(server, examples=EXAMPLES, steps=STEPS, start=SEED))
    except BaseException as fault:
        fault.add_note(
            f"again: CANARY_SEED={SEED} CANARY_EXAMPLES={EXAMPLES} .venv/bin/python -m pytest tests/isolation/test_canaries.py"
        )
        raise

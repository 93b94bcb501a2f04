"""What bad input may cost: no hash for a password that is refused. (A flood of sign-ins: tests/crowds.)"""

import asyncio
import itertools
from collections.abc import Callable

import pytest

from bad_input.ground import Ground, call, register
from bad_input.test_table import PASSWORDS
from support.crowd import processor_seconds

pytestmark = pytest.mark.l3


async def test_a_refused_password_costs_no_hash(ground: Ground, figure: Callable[[str], None]) -> None:
    """Forty refused sign-ups are far cheaper than four that are hashed, and more at once than hashing has places for."""
    pid = ground.server.pid
    begun = processor_seconds(pid)
    wrong = itertools.islice(itertools.cycle(PASSWORDS.values()), 40)
    answers = await asyncio.gather(*(register(password=word)(ground) for word, _ in wrong))
    refused, begun = processor_seconds(pid) - begun, processor_seconds(pid)
    assert {code for _, code in answers} == {code for _, code in PASSWORDS.values()}
    hashed_wrong = [
        call("POST", "/v1/auth/login", {"email": f"nobody{n}@example.com", "password": "x" * 20}, signed=False)(ground)
        for n in range(4)
    ]
    assert set(await asyncio.gather(*hashed_wrong)) == {(401, "credentials_wrong")}
    hashed = processor_seconds(pid) - begun
    figure(f"40 refused passwords cost {refused:.2f} s of CPU, 4 hashed ones {hashed:.2f} s")
    assert refused / 40 < hashed / 4 / 4, "a refused password costs as much as a hashed one"

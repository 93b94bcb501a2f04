"""People at all gateways of a fleet while something is done to it; then all comes to rest, and the oracle judges."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from fleet.fleet import Fleet
from quintet.testing.accounts.account import register_many
from quintet.testing.sockets.connecting import Connect
from support import oracle
from support.faithful import Faithful, living
from support.kept import read

__all__ = ["ROUNDS", "SEED", "again", "endured", "spread", "under_load"]

ROUNDS = int(os.environ.get("FLEET_ROUNDS", "2"))
SEED = int(os.environ.get("FLEET_SEED", "0")) or random.randrange(1, 1 << 32)

P = TypeVar("P", bound=Faithful)
Act = Callable[[random.Random, list[Faithful]], Awaitable[None]]


@asynccontextmanager
async def again(test: str) -> AsyncIterator[random.Random]:
    """A chance from the run's seed; a failure says how to have the same once more."""
    try:
        yield random.Random(SEED)
    except BaseException as fault:
        fault.add_note(
            f"again: FLEET_SEED={SEED} FLEET_ROUNDS={ROUNDS} .venv/bin/python -m pytest tests/fleet -k {test}"
        )
        raise


def spread(fleet: Fleet, connect: Connect, chance: random.Random, each: int, kind: type[P]) -> list[P]:
    """So many people at every gateway, each with a name of its own: what their tools leave is told apart by it."""
    people: list[P] = []
    for gateway in fleet.gateways:
        for account in register_many(gateway, each):
            name = f"user{len(people)}"
            people.append(kind(gateway, account, name, random.Random(chance.random()), connect, gateway))
    return people


@asynccontextmanager
async def under_load(people: Sequence[Faithful]) -> AsyncIterator[None]:
    """Inside they write and read whatever happens; at the end all comes to rest, and each has read its log to the head."""
    async with living(people) as lives:
        await _go_on(people, lives, 30)
        for person in people:
            person.fair = False
        yield
        await _go_on(people, lives, 60)
        async with asyncio.timeout(120):
            await asyncio.gather(lives, *(person.settle() for person in people))
    for person in people:
        await person.audit()


async def _go_on(people: Sequence[Faithful], lives: "asyncio.Future[list[None]]", within: float) -> None:
    """Each is answered once more. What one has found to be wrong is said before others miss an answer."""
    answered = asyncio.ensure_future(asyncio.gather(*(person.goes_on(within) for person in people)))
    await asyncio.wait((answered, lives), return_when=asyncio.FIRST_COMPLETED)
    try:
        assert not lives.done(), f"a client has given up: {[person.faults for person in people]}"
        await answered
    except AssertionError as missed:
        answered.cancel()
        if found := [fault for person in people for fault in person.faults]:
            raise AssertionError(found[0]) from missed
        raise


async def endured(
    fleet: Fleet, connect: Connect, chance: random.Random, copy: Path, act: Act, *, each: int = 2
) -> Counter[str]:
    """Do `act` to it under the load of `each` people at every gateway. Returns how the accepted runs ended.

    Raises:
        AssertionError: a promise was broken, in the oracle's words.
    """
    people = await asyncio.to_thread(spread, fleet, connect, chance, each, Faithful)
    async with under_load(people):
        await act(chance, people)
    gateway = fleet.gateways[0]
    return oracle.check_healed(read(await asyncio.to_thread(gateway.database, copy)), people, gateway.done())

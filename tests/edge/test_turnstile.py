"""Requests that come in one moment begin a few at a time."""

import asyncio
import itertools

import pytest

from quintet.edge.turnstile import EACH_TURN, Turnstile

pytestmark = pytest.mark.l1


async def _turns(counts: list[int], begun: list[int]) -> None:
    """How many have begun, at each turn of the loop."""
    while True:
        counts.append(len(begun))
        await asyncio.sleep(0)


async def test_a_crowd_begins_a_few_in_each_turn_of_the_loop_and_in_order() -> None:
    """Two hundred at once, and two hundred more while they wait: everybody begins, in the order of coming, never more in one turn than
    there may be; and somebody else on the loop has a turn between any two of them."""
    turnstile, begun, counts = Turnstile(), list[int](), list[int]()

    async def request(number: int) -> None:
        await turnstile.enter()
        begun.append(number)

    watching = asyncio.create_task(_turns(counts, begun))
    tasks = [asyncio.create_task(request(number)) for number in range(200)]
    for _ in range(5):
        await asyncio.sleep(0)
    tasks += [asyncio.create_task(request(number)) for number in range(200, 400)]
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)
    watching.cancel()
    assert begun == list(range(400))
    steps = [after - before for before, after in itertools.pairwise(counts)]
    assert max(steps) <= 2 * EACH_TURN, "a crowd has begun in one turn"
    assert sum(step > 0 for step in steps) >= 400 / (2 * EACH_TURN)


async def test_whoever_goes_while_waiting_keeps_nobody() -> None:
    """Cancelled in the queue, their place is the next one's; a lone request never waits for a turn."""
    turnstile, begun = Turnstile(each=1), list[int]()

    async def request(number: int) -> None:
        await turnstile.enter()
        begun.append(number)

    tasks = [asyncio.create_task(request(number)) for number in range(10)]
    await asyncio.sleep(0)
    for task in tasks[3:7]:
        task.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert begun == [0, 1, 2, 7, 8, 9]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    alone = turnstile.enter()
    with pytest.raises(StopIteration):
        alone.send(None)

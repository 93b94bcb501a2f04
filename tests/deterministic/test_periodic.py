"""What is done again and again: its time, its failures, its end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from deterministic.scheduler import Scheduler
from quintet.periodic import Periodic

pytestmark = pytest.mark.l1


def _times(look: Callable[[], Awaitable[None]] | None, *, at_once: bool, start: bool = True) -> list[float]:
    """When it looked within ten seconds, at a period of three."""
    scheduler = Scheduler(seed=1)
    begun, looked = scheduler.now, list[float]()

    async def see() -> None:
        looked.append(scheduler.now - begun)
        if look is not None:
            await look()

    async def story() -> None:
        periodic = Periodic("a test", see, 3.0, at_once=at_once)
        if start:
            periodic.start()
        await asyncio.sleep(10)
        await periodic.close()
        await asyncio.sleep(10)

    scheduler.run(scheduler.loop("test"), story())
    return looked


def test_it_looks_every_period_until_it_is_closed() -> None:
    """At once or after a period, then every period, and never after its end; one that never began can be closed."""
    assert _times(None, at_once=True) == [0, 3, 6, 9]
    assert _times(None, at_once=False) == [3, 6, 9]
    assert _times(None, at_once=True, start=False) == []


def test_the_period_begins_when_a_look_has_ended() -> None:
    """Two looks are never at work at once, however long one takes."""

    async def slow() -> None:
        await asyncio.sleep(2)

    assert _times(slow, at_once=True) == [0, 5]


def test_a_failure_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A look that raises is told in the log by its name, once with the place where it stands, and the next one comes."""

    async def broken() -> None:
        raise RuntimeError("not now")

    assert _times(broken, at_once=True) == [0, 3, 6, 9]
    assert caplog.text.count("a test failed just now") == 4
    assert caplog.text.count("Traceback") == 1
    assert caplog.text.count("(not now)") == 3

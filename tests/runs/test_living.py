"""Which workers live, and what becomes of the runs of one that does not: judged by its beat alone, ended once."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from quintet import runs
from quintet.log import Fenced
from quintet.runs import Cancelled
from quintet.store import Tx
from support.kernel import Kernel, within

pytestmark = pytest.mark.l2


class Workers:
    """Workers by what they do in the tables."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    async def do(self, act: Callable[[Tx], Any]) -> Any:
        """Something in a transaction."""
        return await within(self.kernel.store.write("", act))

    async def announce(self, worker_id: str, *agents: str) -> None:
        """It lives and has these."""
        await self.do(lambda tx: runs.announce(tx, worker_id, dict.fromkeys(agents, "")))

    async def beats(self) -> dict[str, int]:
        """Who is there."""
        return dict(await self.do(runs.beats_in))


@pytest.fixture
def workers(kernel: Kernel) -> Workers:
    """None yet."""
    return Workers(kernel)


async def test_a_worker_is_buried_only_while_its_beat_stands_still(workers: Workers) -> None:
    """Whoever judged by an older beat is too late; a worker that was buried is told so by its own next beat, another's is not."""
    for name in ("w1", "w2"):
        await workers.announce(name, "a")
    stood = await workers.beats()
    assert await workers.do(lambda tx: runs.beat(tx, "w1"))
    assert await workers.beats() == {"w1": stood["w1"] + 1, "w2": stood["w2"]}
    assert not await workers.do(lambda tx: runs.bury(tx, "w1", stood["w1"]))
    assert await workers.do(lambda tx: runs.bury(tx, "w1", stood["w1"] + 1))
    assert not await workers.do(lambda tx: runs.beat(tx, "w1"))
    assert await workers.do(lambda tx: runs.beat(tx, "w2"))
    await workers.announce("w1", "a")
    assert await workers.do(lambda tx: runs.beat(tx, "w1")), "it has begun anew"


async def test_a_worker_that_left_is_absent_and_forgotten_alone(workers: Workers, kernel: Kernel) -> None:
    """Whoever leaves is not there any more, and its agents are known until they are forgotten; a living worker is never absent, and
    what it has is not forgotten, whoever asks for that."""
    await workers.announce("w1", "one", "both")
    await workers.announce("w2", "two", "both")
    assert await workers.do(runs.absent_in) == []
    await workers.do(lambda tx: runs.leave(tx, "w1"))
    assert set(await workers.beats()) == {"w2"}
    assert await workers.do(runs.absent_in) == ["w1"]
    for name in ("w2", "w1"):
        await workers.do(partial(runs.forget_agents, worker_id=name))
    known = "SELECT worker_id, name FROM agents ORDER BY 1, 2"
    assert await workers.do(lambda tx: list(map(tuple, tx.sql(known)))) == [("w2", "both"), ("w2", "two")]
    assert await workers.do(runs.absent_in) == []


async def test_the_runs_of_a_dead_worker_end_once_and_nobody_elses(workers: Workers, kernel: Kernel) -> None:
    """Nobody's are the running runs of a worker that is not there: each ends once, as `worker_lost` or as what had been asked for before.
    A run that waits, or whose worker lives, is left alone."""
    await workers.announce("w1", "assistant")
    await workers.announce("w2", "assistant")
    user = await kernel.user()
    lost, stopped = await kernel.send(user), await kernel.send(user)
    dead = {run.run_id: run for run in await kernel.lease(worker_id="w1")}
    kept = await kernel.send(user)
    living = (await kernel.lease(worker_id="w2"))[0]
    waiting = await kernel.send(user, thread_id=living.thread_id)
    assert (set(dead), living.run_id) == ({lost, stopped}, kept)
    now = kernel.moment()
    assert await workers.do(lambda tx: runs.cancel(tx, user, stopped, "user", now)) == "running"
    assert await workers.do(runs.orphans_in) == []
    beat = (await workers.beats())["w1"]
    assert await workers.do(lambda tx: runs.bury(tx, "w1", beat))
    orphans = await workers.do(runs.orphans_in)
    assert {orphan.run_id for orphan in orphans} == {lost, stopped}
    for orphan in orphans:
        end = partial(runs.end_orphan, orphan=orphan, moment=kernel.moment())
        state = await workers.do(end)
        assert state == ("failed" if orphan.run_id == lost else "cancelled")
        with pytest.raises(Fenced):
            await workers.do(end)
    assert await workers.do(runs.orphans_in) == []
    endings = {run_id: (await kernel.story(user, run_id))[-1] for run_id in (lost, stopped)}
    assert endings[lost].data["error"]["code"] == "worker_lost"
    assert (endings[stopped].type, endings[stopped].data["reason"]) == ("agent_cancelled", "user")
    with pytest.raises(Fenced):
        await kernel.append(dead[lost], kernel.thought(dead[lost]))
    await kernel.append(living, kernel.thought(living))
    assert await kernel.close(living, Cancelled("timeout")) == "cancelled"
    assert [run.run_id for run in await kernel.lease(worker_id="w2")] == [waiting]

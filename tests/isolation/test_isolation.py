"""P6, yours only: eight users at once, foreign ids on every route and verb, foreign positions in a log."""

import pytest

from quintet.testing.contracts import whole
from support.checks.isolation import WORKLOADS, check_foreign_ids, check_isolation
from support.world import World

pytestmark = pytest.mark.l3


async def test_eight_users_with_canaries_at_once(world: World) -> None:
    """Eight different workloads, each user with a secret word: nothing foreign on any socket, and nothing missing."""
    await check_isolation(world, 8, workloads=WORKLOADS, rounds=3)


async def test_foreign_ids_answer_like_ids_that_never_were(world: World) -> None:
    """Every HTTP route and socket verb, byte for byte but for the request id, and nothing is changed by asking."""
    await check_foreign_ids(world)


async def test_lists_hold_only_ones_own(world: World) -> None:
    """Threads, messages, runs and snapshot of a user name nobody else's things."""
    alice, bob = await world.users(2)
    devices = [await world.device(account, name=account.email) for account in (alice, bob)]
    said = [await device.say(f"mine {n}", agent="echo") for n, device in enumerate(devices)]
    for device, message in zip(devices, said, strict=True):
        whole(await device.run(message.run_id))
    for account, own in ((alice, said[0]), (bob, said[1])):
        threads = (await account.get("/v1/threads"))["items"]
        assert [t["id"] for t in threads] == [own.thread_id]
        assert [t["id"] for t in (await account.snapshot())["threads"]] == [own.thread_id]

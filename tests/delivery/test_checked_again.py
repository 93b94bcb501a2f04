"""A session is checked again when its user's revision is newer, once for each; a new epoch sends everybody to come again."""

from collections.abc import Callable

import pytest

from delivery.stage import Stage
from quintet.store import Renewed
from support.kernel import within

pytestmark = pytest.mark.l2

Stages = Callable[..., Stage]


async def test_a_session_that_stands_is_checked_once_for_a_revision(stage: Stages) -> None:
    """Another device signs out: this one's session is asked after once, stands, and what comes then costs no further question."""
    async with stage() as s:
        alice = await s.user()
        raw = await s.following(alice)
        await s.sign_out(await s.sign_in(alice.id))
        await s.emit(alice)
        await raw.until("agent_thinking")
        checks = s.checks
        assert checks >= 1
        for _ in range(5):
            await s.emit(alice)
            await raw.until("agent_thinking")
        assert s.checks == checks


async def test_a_new_epoch_closes_sockets_so_that_they_come_again(stage: Stages) -> None:
    """The logs have begun anew: every socket is closed with 4000, after which its client comes again with its cursor; nothing that is
    committed afterwards goes out under the old numbers."""
    async with stage() as s:
        alice, bob = await s.user(), await s.user()
        sockets = [await s.following(alice), await s.following(bob), await s.open(alice)]
        await within(s.kernel.store.write("", lambda tx: tx.publish(Renewed())))
        for raw in sockets:
            assert await raw.closing() == 4000
        again = await s.following(alice)
        await s.emit(alice)
        await again.until("agent_thinking")

"""The events of one run as a list: all of them, however many, and nothing of what lies between."""

import pytest

from quintet import runs
from quintet.chat import reading
from quintet.scope import UserScope
from support.kernel import Kernel, within

pytestmark = pytest.mark.l2


async def test_the_story_of_a_run_is_whole(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list without an end that is not said: every event after the position, open or ended; over the bound it is told where it goes on."""
    user_id = await kernel.user()
    run, other = await kernel.running(user_id), await kernel.running(user_id)
    for _ in range(11):
        await kernel.append(run, *(kernel.thought(run) for _ in range(64)))
        await kernel.append(other, kernel.thought(other))
    scope = UserScope(user_id)
    whole: list[bytes] = []

    async def told(after: int) -> tuple[list[bytes], int | None]:
        return await within(kernel.store.read(lambda tx: reading.run_story(tx, scope, run.run_id, after)))

    for ending in (None, runs.Completed("msg_1", "words")):
        if ending is not None:
            await kernel.close(run, ending)
            await kernel.append(other, kernel.thought(other))
        whole = [row.frame for row in await kernel.rows(user_id) if run.run_id.encode() in row.frame]
        assert len(whole) > 700
        assert await told(0) == (whole, None)
        assert await told(300) == (whole[300:], None)
        assert await told(len(whole)) == ([], None)
    monkeypatch.setattr(reading, "STORY_BYTES", 50_000)
    pieces: list[bytes] = []
    after: int | None = 0
    while after is not None:
        piece, after = await told(after)
        assert sum(map(len, piece)) < 50_000 + 250 * 1_000
        pieces += piece
    assert pieces == whole

"""What a connection writes down of its frames, and frames that are asked for by what they say alone."""

import time

import pytest

from kit.sockets.test_any_server import THEIRS, backend, numbered
from quintet.testing.sockets.connecting import Connect

pytestmark = pytest.mark.l2


async def test_each_line_of_a_transcript_has_its_time_by_both_clocks(connect: Connect) -> None:
    """`at` is of the clock that never jumps, `wall` of the one that people read; without a type any frame may be the one."""
    before = time.monotonic(), time.time()
    async with backend(numbered(1, 2, 3, then="close")) as url:
        socket = await connect(url, mapping=THEIRS)
        found = await socket.until(where=lambda seen: seen.order == 2)
        assert [seen.order for seen in found] == [1, 2]
        await socket.closed()
    lines = [line for line in socket.transcript if not line.sent]
    assert len(lines) >= 3
    assert all(before[0] <= line.at <= time.monotonic() for line in lines)
    assert all(before[1] - 1 <= line.wall <= time.time() + 1 for line in lines)

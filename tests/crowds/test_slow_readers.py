"""P9: a reader that never reads costs the others nothing."""

from collections.abc import Callable

import pytest

from crowds.slow_readers import check_slow_readers
from support.server import Factory

pytestmark = [pytest.mark.l3, pytest.mark.timeout(120), pytest.mark.hang_guard(115)]


async def test_readers_that_never_read_cost_little_and_delay_nobody(
    server_factory: Factory, figure: Callable[[str], None]
) -> None:
    """Forty sockets whose logs hold four megabytes take nothing: at most half a megabyte each, nobody else waits, and all is there later."""
    figure(await check_slow_readers(server_factory()))

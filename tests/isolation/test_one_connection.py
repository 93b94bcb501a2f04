"""P6: identity belongs to a request, never to the connection, the task or the moment."""

import pytest

from isolation.one_connection import check_one_connection
from support.server import Server

pytestmark = pytest.mark.l3


async def test_a_connection_that_two_users_share_mixes_nothing(server: Server) -> None:
    """Three megabytes of one, a request and an upgrade of the other, on one TCP connection: each sees only their own."""
    await check_one_connection(server)

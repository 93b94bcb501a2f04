"""The fixtures `connect` and `connect_now`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from quintet.testing.sockets.connecting import Connect, ConnectNow

__all__ = ["connect", "connect_now"]


@pytest.fixture
def connect(request: pytest.FixtureRequest) -> "Iterator[Connect]":
    """Sockets and streams with a deadline on every step: a URL is enough, `stream` for events over HTTP, `device` for Quintet.

    Frames are read by the mapping that `[tool.quintet.test]` names, else as Quintet's.
    """
    from quintet.testing import config
    from quintet.testing.contracts import Mapping
    from quintet.testing.loops import LoopThread
    from quintet.testing.sockets.connecting import Connect

    told = config.of(request.config)
    loop = LoopThread("quintet connections")
    made = Connect(loop, Mapping.load(told.root / told.mapping) if told.mapping else None)
    try:
        yield made
        made.finish()
    finally:
        loop.close()


@pytest.fixture
def connect_now(connect: "Connect") -> "ConnectNow":
    """The same for plain functions: nothing is awaited."""
    from quintet.testing.sockets.connecting import ConnectNow

    return ConnectNow(connect)

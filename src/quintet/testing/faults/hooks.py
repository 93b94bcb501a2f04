"""The fixture `faults`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .proxy import Faults

__all__ = ["faults"]


@pytest.fixture
def faults() -> "Iterator[Faults]":
    """Proxies in front of anything, with faults: after `proxy = faults(server)` there are `proxy.stall()`, `proxy.cut(100)`, …"""
    from ..loops import LoopThread
    from .proxy import Faults

    loop = LoopThread("quintet faults")
    made = Faults(loop)
    try:
        yield made
    finally:
        made.close()
        loop.close()

"""The fixture `faults`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from quintet.testing.faults.proxy import Faults

__all__ = ["faults"]


@pytest.fixture
def faults() -> "Iterator[Faults]":
    """Makes proxies in front of anything: a service, a URL, a port. Each can be stalled, cut, reset and more while it is in use."""
    from quintet.testing.faults.proxy import Faults
    from quintet.testing.loops import LoopThread

    loop = LoopThread("quintet faults")
    made = Faults(loop)
    try:
        yield made
    finally:
        made.close()
        loop.close()

"""The fixture `faults`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .proxy import Faults

__all__ = ["faults"]


@pytest.fixture
def faults() -> "Iterator[Faults]":
    """Makes proxies in front of anything: a service, a URL, a port. Each can be stalled, cut, reset and more while it is in use."""
    from ..loops import LoopThread
    from .proxy import Faults

    loop = LoopThread("quintet faults")
    made = Faults(loop)
    try:
        yield made
    finally:
        made.close()
        loop.close()

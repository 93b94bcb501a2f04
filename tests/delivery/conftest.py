"""Delivery runs on uvloop, and so do its tests. Everything is real: the store, the log, the tokens, uvicorn, TCP."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import uvloop

from delivery.stage import Stage
from support.kernel import Kernel, database, kernel, log, store

__all__ = ["database", "kernel", "log", "store"]


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], Any]]:
    """The loop of the product."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def stage(kernel: Kernel) -> Iterator[Callable[..., Stage]]:
    """Makes stages, with limits other than the published ones."""
    yield lambda **limits: Stage(kernel, **limits)

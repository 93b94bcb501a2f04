"""A gateway in this process whose streams can be given shorter times; for the tests that need no process of their own."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import uvloop
from fastapi import FastAPI

from delivery import stage as stages
from delivery.stage import Stage
from quintet.edge import problems
from support.kernel import Kernel, database, kernel, log, store

__all__ = ["database", "kernel", "log", "store"]


def pytest_asyncio_loop_factories(config: Any, item: Any) -> Mapping[str, Callable[[], Any]]:
    """The product's loop where the gateway is in this process; a client of a process of its own needs none but the usual one."""
    if item.get_closest_marker("l2") is not None:
        return {"uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture
def stage(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stage]]:
    """Makes stages that serve streams, with limits other than the published ones."""
    made: list[Stage] = []
    apps: dict[Stage, FastAPI] = {}

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        here = made[-1]
        if here not in apps:
            app = apps[here] = FastAPI(openapi_url=None)
            problems.install(app)
            app.include_router(here.gateway.router())
        await apps[here](scope, receive, send)

    def make(**limits: Any) -> Stage:
        made.append(Stage(kernel, **limits))
        return made[-1]

    monkeypatch.setattr(stages, "_plain", serve)
    yield make

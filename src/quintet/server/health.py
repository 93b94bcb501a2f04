"""Is it alive, is it ready, and if not, which part is not. Asked by machines, so it says the truth and nothing else.

A part that the server can do without is told of and is no reason to send people elsewhere: there they would fare no better.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from quintet.store import Store
from quintet.store.nodes import others_in

__all__ = ["Check", "Checks", "asked", "checks_of", "health_router"]

_PATIENCE = 2.0  # seconds that a dependency has to answer

Check = Callable[[], Awaitable[bool]]


class Checks(NamedTuple):
    """What must be so for the server to be ready, and what it can do without, each by its name."""

    needed: Mapping[str, Check]
    dispensable: Mapping[str, Check]

    @property
    def all(self) -> Mapping[str, Check]:
        """Both."""
        return {**self.needed, **self.dispensable}


def checks_of(store: Store, serves: Check, digest: str, life_ms: int) -> Checks:
    """What a server on this store can be asked. `serves`: whether it takes work; `digest`: of its map of the cells, which every process has
    that was heard of in `life_ms`."""

    async def in_touch() -> bool:
        return store.in_touch

    dispensable: dict[str, Check] = {"wakes": in_touch} if store.shared else {}
    for number in range(1, len(store.cells)):  # the first is the accounts' own
        dispensable[f"cell {number}"] = partial(_cell_answers, store, number)
    if len(store.cells) > 1:
        dispensable["map of the cells"] = partial(_one_map, store, digest, life_ms)
    return Checks({"server": serves, "database": partial(_answers, store)}, dispensable)


async def _cell_answers(store: Store, number: int) -> bool:
    return await _answers(store.cells[number])


async def _one_map(store: Store, digest: str, life_ms: int) -> bool:
    return not await store.read(partial(others_in, digest=digest, life_ms=life_ms))


async def _answers(store: Store) -> bool:
    return await store.read(lambda tx: tx.sql("SELECT 1").fetchone()[0] == 1)


def health_router(checks: Checks) -> APIRouter:
    """`/healthz`: the process answers. `/readyz`: every check that is needed does; 503 when one does not. All are named."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @router.api_route("/readyz", methods=["GET", "HEAD"])
    async def ready() -> Response:
        names = list(checks.all)
        answers = dict(zip(names, await asyncio.gather(*(asked(checks.all[name]) for name in names)), strict=True))
        good = all(answers[name] for name in checks.needed)
        body: dict[str, Any] = {"status": "ready" if good else "not ready"}
        body["checks"] = {name: "ok" if answer else "failing" for name, answer in answers.items()}
        return JSONResponse(body, 200 if good else 503, None if good else {"Retry-After": "1"})

    return router


async def asked(check: Check) -> bool:
    """Whether the check passes within the time it has."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await check()
    except Exception:
        return False

"""Is it alive, is it ready, and if not, which part is not. Asked by machines, so it says the truth and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

__all__ = ["Check", "asked", "health_router"]

_PATIENCE = 2.0  # seconds that a dependency has to answer

Check = Callable[[], Awaitable[bool]]


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`/healthz`: the process answers. `/readyz`: every check does, each named; 503 when one does not."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @router.api_route("/readyz", methods=["GET", "HEAD"])
    async def ready() -> Response:
        names = list(checks)
        answers = await asyncio.gather(*(asked(checks[name]) for name in names))
        body: dict[str, Any] = {"status": "ready" if all(answers) else "not ready"}
        body["checks"] = {name: "ok" if answer else "failing" for name, answer in zip(names, answers, strict=True)}
        return JSONResponse(body, 200 if all(answers) else 503, {"Retry-After": "1"} if not all(answers) else None)

    return router


async def asked(check: Check) -> bool:
    """Whether the check passes within the time it has."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await check()
    except Exception:
        return False

"""An application with a few routes of its own behind the real edge."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel, ConfigDict

from quintet.edge.application import http_application
from quintet.edge.bodies import StrictJSONRoute
from quintet.edge.identity import bearer_of
from quintet.edge.origins import OriginPolicy
from quintet.errors import QuintetError
from quintet.sources import Sources


class Note(BaseModel):
    """A body with a nested part."""

    model_config = ConfigDict(extra="forbid", strict=True)
    text: str
    inner: "Note | None" = None


def _routes() -> APIRouter:
    router = APIRouter(route_class=StrictJSONRoute)

    @router.post("/v1/notes", status_code=201)
    async def write(note: Note) -> dict[str, Any]:
        return {"length": len(note.text)}

    @router.post("/v1/optional")
    async def optional(note: Note | None = None) -> dict[str, Any]:
        return {"given": note is not None}

    @router.post("/v1/none")
    async def none() -> dict[str, Any]:
        return {}

    @router.get("/v1/notes/{note_id}")
    async def read(note_id: str) -> None:
        raise QuintetError("not_found")

    @router.patch("/v1/notes/{note_id}")
    async def change(note_id: str) -> None:
        raise QuintetError("busy")

    @router.get("/v1/broken")
    async def broken() -> None:
        raise RuntimeError("the secret is swordfish")

    @router.get("/v1/token")
    async def token(request: Request) -> dict[str, Any]:
        return {"token": bearer_of(request)}

    @router.get("/healthz")
    async def health() -> dict[str, Any]:
        return {}

    return router


@pytest.fixture
def app() -> FastAPI:
    """The application under --dev."""
    made = http_application(OriginPolicy(None, [], dev=True), Sources(), "0")
    made.include_router(_routes())
    return made


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it, which sees an escaped exception as one."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8750") as client:
        yield client

"""Every route of administration. All of them ask for the role `admin`, as it is at this request, those about users for that or a service
with the scope; everybody else hears the same 403, whether or not what they name exists."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from quintet.accounts.admin import forms
from quintet.accounts.admin.desk import Actor, Desk, Vitals
from quintet.accounts.door.forms import FormRoute
from quintet.accounts.door.views import Activity, entries
from quintet.accounts.sessions.sessions import SessionRow
from quintet.edge.identity import Authenticate, AuthenticateService, identity_of, person_or_service_of
from quintet.edge.limits import AddressOf
from quintet.errors import QuintetError
from quintet.events import timestamp
from quintet.scope import Identity, Service

__all__ = ["admin_router"]

Before = Annotated[int | None, Query(ge=1, le=1 << 62)]
Limit = Annotated[int, Query(ge=1, le=200)]
Search = Annotated[str, Query(max_length=100)]
Id = Annotated[str | None, Query(max_length=64)]

_Acting = Callable[..., Awaitable[Actor]]


def admin_router(
    desk: Desk, authenticate: Authenticate, services: AuthenticateService, address_of: AddressOf, vitals: Vitals
) -> APIRouter:
    """The routes under `/v1/admin`. `vitals` says how the server is."""
    router = APIRouter(prefix="/v1/admin", route_class=FormRoute, tags=["administration"])
    acting = Depends(_acting(identity_of(authenticate), address_of))
    reading, writing = (
        Depends(_acting(person_or_service_of(authenticate, services, scope), address_of))
        for scope in ("users:read", "users:write")
    )
    _add_users(router, desk, reading, writing)
    _add_sessions(router, desk, reading, writing)
    _add_work(router, desk, acting)
    _add_looks(router, desk, acting, vitals)
    return router


def _acting(dependency: Callable[[Request], Awaitable[Identity | Service]], address_of: AddressOf) -> _Acting:
    entered = Depends(dependency)

    async def acting(request: Request, who: Identity | Service = entered) -> Actor:
        if isinstance(who, Service):
            return Actor(who.client_id, address_of.whole(request.scope), is_service=True)
        if who.role != "admin":
            raise QuintetError("forbidden")
        return Actor(who.user_id, address_of.whole(request.scope), identity=who)

    return acting


def _add_users(router: APIRouter, desk: Desk, reading: Any, writing: Any) -> None:
    @router.get("/users", response_model=forms.AdminUsers)
    async def users(search: Search = "", after: Id = None, limit: Limit = 50, _: Actor = reading) -> Response:
        """Users, the newest account first."""
        found = await desk.users(search.strip(), after, limit)
        page: dict[str, Any] = {"items": [user.view() for user in found]}
        return JSONResponse({**page, "next": found[-1].id} if len(found) == limit else page)

    @router.get("/users/{user_id}", response_model=forms.AdminUser)
    async def user(user_id: str, _: Actor = reading) -> Response:
        """One user."""
        return JSONResponse((await desk.user(user_id)).view())

    @router.patch("/users/{user_id}", response_model=forms.AdminUser)
    async def change(user_id: str, form: forms.AdminChange, actor: Actor = writing) -> Response:
        """Give a role (with one's own password), disable (all sessions end) or enable.

        A service gives no roles, since it could make itself an administrator, and disables none.
        """
        changed = await desk.change(user_id, actor, role=form.role, disabled=form.disabled, password=form.password)
        return JSONResponse(changed.view())


def _add_sessions(router: APIRouter, desk: Desk, reading: Any, writing: Any) -> None:
    @router.get("/users/{user_id}/sessions", response_model=forms.AdminSessions)
    async def list_sessions(user_id: str, _: Actor = reading) -> Response:
        """The sessions of a user that stand."""
        return JSONResponse({"items": [_session(row) for row in await desk.sessions(user_id)]})

    @router.delete("/users/{user_id}/sessions", status_code=204)
    async def end_sessions(user_id: str, actor: Actor = writing) -> Response:
        """End all of them."""
        await desk.end_sessions(user_id, None, actor)
        return Response(status_code=204)

    @router.delete("/users/{user_id}/sessions/{session_id}", status_code=204)
    async def end_session(user_id: str, session_id: str, actor: Actor = writing) -> Response:
        """End one of them."""
        await desk.end_sessions(user_id, session_id, actor)
        return Response(status_code=204)


def _add_work(router: APIRouter, desk: Desk, acting: Any) -> None:
    @router.get("/runs", response_model=forms.AdminRuns)
    async def open_runs(_: Actor = acting) -> Response:
        """Open runs of everybody."""
        return JSONResponse({"items": [run.view() for run in await desk.runs()]})

    @router.post("/users/{user_id}/runs/{run_id}/cancel", status_code=202, response_model=forms.Cancelled)
    async def cancel(user_id: str, run_id: str, actor: Actor = acting) -> Response:
        """Stop one."""
        state = await desk.cancel(user_id, run_id, actor)
        return JSONResponse({"run_id": run_id, "state": state}, 202)


def _add_looks(router: APIRouter, desk: Desk, acting: Any, vitals: Vitals) -> None:
    @router.get("/audit", response_model=Activity)
    async def audit(user_id: Id = None, before: Before = None, limit: Limit = 50, _: Actor = acting) -> Response:
        """What happened, to one user or to anybody, the newest first."""
        found, people = await desk.audit(user_id, before, limit)
        return JSONResponse(entries(found, limit, people=people))

    @router.get("/health", response_model=forms.Vitals)
    async def health(_: Actor = acting) -> Response:
        """How the server is."""
        told = await vitals()
        return JSONResponse({**told, "figures": {**await desk.counts(), **told["figures"]}})


def _session(row: SessionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "device": row.device or "",
        "created_at": timestamp(row.created_at),
        "last_used_at": timestamp(row.last_used_at),
    }

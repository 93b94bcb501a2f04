"""The routes by which a signed-in user sees and changes their own account."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from quintet.accounts.door import forms, views
from quintet.accounts.door.doorkeeper import Doorkeeper
from quintet.accounts.factors.forms import Confirming
from quintet.accounts.flows import Accounts
from quintet.accounts.sessions.sessions import SessionRow
from quintet.edge.identity import identity_of, speaker_of
from quintet.errors import QuintetError
from quintet.events import timestamp
from quintet.scope import Identity

__all__ = ["add_own_routes"]

Before = Annotated[int | None, Query(ge=1, le=1 << 62)]
Limit = Annotated[int, Query(ge=1, le=200)]


def add_own_routes(router: APIRouter, accounts: Accounts, door: Doorkeeper) -> None:
    """Add them to `router`."""
    signed_in = Depends(identity_of(accounts.authenticate))
    _add_profile(router, accounts, door, signed_in, Depends(speaker_of(accounts.authenticate)))
    _add_sessions(router, accounts, signed_in)
    _add_record(router, accounts, signed_in, Depends(door.address))


def _add_profile(router: APIRouter, accounts: Accounts, door: Doorkeeper, signed_in: Any, speaking: Any) -> None:
    own = accounts.own

    @router.get("/v1/auth/me", response_model=views.UserView)
    async def me(identity: Identity = speaking) -> Response:
        """Who asks."""
        return JSONResponse((await own.me(identity.user_id)).view())

    @router.patch("/v1/auth/me", response_model=views.UserView)
    async def rename(form: forms.Profile, identity: Identity = signed_in) -> Response:
        """Change the name."""
        if form.name is None:
            return JSONResponse((await own.me(identity.user_id)).view())
        return JSONResponse((await own.rename(identity.user_id, form.name)).view())

    @router.post("/v1/auth/password", status_code=204)
    async def change_password(request: Request, form: forms.NewPassword, identity: Identity = signed_in) -> Response:
        """Set another password; all other sessions end."""
        await own.change_password(identity, form.current, form.new, door.address(request))
        return Response(status_code=204)


def _add_sessions(router: APIRouter, accounts: Accounts, signed_in: Any) -> None:
    own = accounts.own

    @router.get("/v1/auth/sessions", response_model=views.Sessions)
    async def list_sessions(identity: Identity = signed_in) -> Response:
        """The sessions, by device."""
        rows = await own.sessions(identity.user_id)
        return JSONResponse({"items": [_session(row, identity) for row in rows]})

    @router.delete("/v1/auth/sessions/{session_id}", status_code=204)
    async def end_session(session_id: str, identity: Identity = signed_in) -> Response:
        """Sign one device out."""
        if not await own.end_session(identity.user_id, session_id):
            raise QuintetError("not_found")
        return Response(status_code=204)

    @router.delete("/v1/auth/sessions", status_code=204)
    async def end_others(others: bool, identity: Identity = signed_in) -> Response:
        """Sign all other devices out (`?others=true`)."""
        if not others:
            raise QuintetError("bad_message")
        await own.end_others(identity)
        return Response(status_code=204)


def _add_record(router: APIRouter, accounts: Accounts, signed_in: Any, address: Any) -> None:
    @router.get("/v1/auth/activity", response_model=views.Activity)
    async def activity(before: Before = None, limit: Limit = 50, identity: Identity = signed_in) -> Response:
        """What happened to the account, the newest first."""
        found = await accounts.own.activity(identity.user_id, before, limit)
        return JSONResponse(views.entries(found, limit, own=True))

    @router.get("/v1/auth/me/export", response_class=StreamingResponse)
    async def export(identity: Identity = signed_in, address: str = address) -> Response:
        """Everything of the user, as one JSON file."""
        return await accounts.exporting.begin(identity, address)

    @router.delete("/v1/auth/me", status_code=204)
    async def delete(form: Confirming, identity: Identity = signed_in) -> Response:
        """Delete the account: sessions and running work end at once, and nothing of the user is left when this is answered."""
        confirmed = await accounts.confirmation.confirm(identity, form.password)
        await accounts.erasing.erase(confirmed.user.id, check=confirmed.check)
        return Response(status_code=204)


def _session(row: SessionRow, identity: Identity) -> dict[str, Any]:
    return {
        "id": row.id,
        "device": row.device or "",
        "created_at": timestamp(row.created_at),
        "last_used_at": timestamp(row.last_used_at),
        "current": row.id == identity.session_id,
    }

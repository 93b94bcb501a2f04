"""The routes of signing in with a provider. The browser itself comes to `start` and `callback`, so they answer with a way on, never with a token.

1. The session begins as in the browser's mode: its refresh token is a cookie that no script reads; nothing is in an address.
2. What went wrong goes to the page as a code; the page has the words.
"""

from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, RedirectResponse, Response

from quintet.accounts.door import forms
from quintet.accounts.door.browser import Browser
from quintet.accounts.door.doorkeeper import Doorkeeper
from quintet.accounts.external.signing_in import SECONDS, Begun, Returned, SigningIn, cookie_name
from quintet.accounts.passwords.confirmation import Confirmation
from quintet.edge.identity import Authenticate, identity_of
from quintet.errors import QuintetError
from quintet.scope import Identity

__all__ = ["add_external_routes"]

LONGEST = 4096  # characters of what comes back in the address
_WAY_ON: dict[int | str, dict[str, Any]] = {
    303: {
        "description": "The way on",
        "headers": {"Location": {"description": "Where the browser goes.", "schema": {"type": "string"}}},
    }
}


class Linking(forms.Form):
    """Linking and unlinking. The password confirms who asks; whoever has none has to have signed in a moment ago."""

    password: forms.AnyText | None = None


class WayView(BaseModel):
    """Where the browser has to go."""

    address: str


class LinkView(BaseModel):
    """Who the user is elsewhere."""

    id: str
    issuer: str
    email: str | None = None
    created_at: str
    last_used_at: str


class LinksView(BaseModel):
    """All of them, the oldest first."""

    items: list[LinkView]


def add_external_routes(
    router: APIRouter,
    signing_in: SigningIn,
    browser: Browser,
    door: Doorkeeper,
    confirmation: Confirmation,
    authenticate: Authenticate,
) -> None:
    """Add them to `router`."""
    _add_ways(router, signing_in, browser, door)
    _add_links(router, signing_in, confirmation, Depends(identity_of(authenticate)))


def _add_ways(router: APIRouter, signing_in: SigningIn, browser: Browser, door: Doorkeeper) -> None:
    @router.get("/v1/auth/oidc/{provider}/start", status_code=303, response_class=Response, responses=_WAY_ON)
    async def start(request: Request, provider: str) -> Response:
        """Send the browser to the provider."""
        door.sign_in(request)
        try:
            begun = await signing_in.begin(provider)
        except QuintetError as refusal:
            return _refused(refusal)
        response = RedirectResponse(begun.address, 303)
        _keep(response, begun)
        return response

    @router.get("/v1/auth/oidc/{provider}/callback", status_code=303, response_class=Response, responses=_WAY_ON)
    async def callback(request: Request, provider: str) -> Response:
        """Where the provider sends the browser back to."""
        back = _returned(request)
        try:
            made = await signing_in.finish(provider, back, door.visitor(request, None))
        except QuintetError as refusal:
            response = _refused(refusal)
        else:
            response = RedirectResponse("/?linked=1" if made is None else "/?entered=1", 303)
            if made is not None:
                browser.keep(request, response, made.pair.refresh_token)
        response.delete_cookie(cookie_name(back.state), secure=True, httponly=True, samesite="lax")
        return response


def _add_links(router: APIRouter, signing_in: SigningIn, confirmation: Confirmation, signed_in: Any) -> None:
    @router.post("/v1/auth/oidc/{provider}/link", response_model=WayView)
    async def link(provider: str, form: Linking | None = None, identity: Identity = signed_in) -> Response:
        """Begin to link the account at the provider to one's own; the browser that asked has to go there."""
        confirmed = await confirmation.confirm(identity, form.password if form else None)
        begun = await signing_in.begin(provider, confirmed)
        response = JSONResponse({"address": begun.address})
        _keep(response, begun)
        return response

    @router.get("/v1/auth/identities", response_model=LinksView)
    async def links(identity: Identity = signed_in) -> Response:
        """Who the user is elsewhere."""
        return JSONResponse({"items": [one.view() for one in await signing_in.linked(identity)]})

    @router.delete("/v1/auth/identities/{link_id}", status_code=204)
    async def unlink(link_id: str, form: Linking | None = None, identity: Identity = signed_in) -> Response:
        """Take a link away; never the last way in."""
        if link_id not in {one.id for one in await signing_in.linked(identity)}:
            raise QuintetError("not_found")
        confirmed = await confirmation.confirm(identity, form.password if form else None)
        await signing_in.unlink(confirmed, link_id)
        return Response(status_code=204)


def _returned(request: Request) -> Returned:
    """Each field once and of bearable length; else it counts as absent."""
    given = request.query_params.multi_items()
    fields = {name: [value for key, value in given if key == name] for name in ("state", "code", "iss", "error")}
    one = {name: values[0] for name, values in fields.items() if len(values) == 1 and len(values[0]) <= LONGEST}
    return Returned(one.get("state", ""), one.get("code"), one.get("iss"), one.get("error"), request.cookies)


def _keep(response: Response, begun: Begun) -> None:
    """Lax: the way back begins at another site."""
    response.set_cookie(begun.name, begun.secret, max_age=SECONDS, secure=True, httponly=True, samesite="lax")


def _refused(refusal: QuintetError) -> Response:
    if refusal.code == "not_found":
        raise refusal
    return RedirectResponse(f"/?refused={refusal.code}", 303)

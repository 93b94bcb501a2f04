"""The routes of accounts: sign-in here, the account's own routes in `own_api`."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from quintet.accounts.door import forms, views
from quintet.accounts.door.answers import Answers
from quintet.accounts.door.browser import Browser
from quintet.accounts.door.doorkeeper import Doorkeeper
from quintet.accounts.external.api import add_external_routes
from quintet.accounts.factors.api import Rooms, add_factor_routes
from quintet.accounts.flows import Accounts
from quintet.accounts.joining.joining import Applicant
from quintet.accounts.keys import KEPT_SECONDS
from quintet.accounts.machines.api import add_service_routes
from quintet.accounts.machines.keys_api import add_key_routes
from quintet.accounts.routes.letter_api import add_letter_routes
from quintet.accounts.routes.own_api import add_own_routes
from quintet.edge.identity import bearer_of, identity_of
from quintet.edge.origins import OriginPolicy
from quintet.errors import QuintetError
from quintet.sources import Sources

__all__ = ["accounts_router"]


def accounts_router(accounts: Accounts, policy: OriginPolicy, sources: Sources) -> APIRouter:
    """Every route of accounts. `policy` judges the pages of the browser's mode."""
    router = APIRouter(route_class=forms.FormRoute, tags=["accounts"])
    browser = Browser(policy, accounts.config.cookie_port, accounts.config.refresh_idle_seconds)
    answers = Answers(accounts.identities.seconds, browser)
    door = Doorkeeper(accounts.config, sources)
    _add_entry_routes(router, accounts, answers, browser, door)
    _add_token_routes(router, accounts, answers, browser)
    _add_keys(router, accounts)
    add_letter_routes(router, accounts, door)
    add_own_routes(router, accounts, door)
    rooms = Rooms(accounts.second, accounts.passkeys, accounts.own, accounts.entering)
    add_factor_routes(router, rooms, answers, browser, door, Depends(identity_of(accounts.authenticate)))
    add_external_routes(router, accounts.signing_in, browser, door, accounts.confirmation, accounts.authenticate)
    add_service_routes(router, accounts.programs.services)
    add_key_routes(router, accounts.programs.keys, accounts.confirmation, accounts.authenticate)
    return router


def _add_entry_routes(
    router: APIRouter, accounts: Accounts, answers: Answers, browser: Browser, door: Doorkeeper
) -> None:
    later: dict[int | str, dict[str, Any]] = {202: {"description": "The address has to be confirmed first."}}

    @router.post("/v1/auth/register", status_code=201, response_model=views.SignedInView, responses=later)
    async def register(request: Request, form: forms.Register) -> Response:
        """Make an account and sign in; 202 without tokens where the address has to be confirmed first."""
        web = browser.speaks(request)
        door.registration(request)
        applicant = Applicant(form.email, form.password, form.name, form.invite)
        made = await accounts.joining.join(applicant, door.visitor(request, form.device))
        if made is None:
            return Response(status_code=202)
        return answers.signed_in(request, made, 201, web=web)

    @router.post("/v1/auth/login", response_model=views.SignedInView)
    async def login(request: Request, form: forms.Login) -> Response:
        """Sign in."""
        web = browser.speaks(request)
        door.sign_in(request)
        made = await accounts.login(form.email, form.password, door.visitor(request, form.device))
        return answers.signed_in(request, made, 200, web=web)


def _add_token_routes(router: APIRouter, accounts: Accounts, answers: Answers, browser: Browser) -> None:
    @router.post("/v1/auth/refresh", response_model=views.PairView)
    async def refresh(request: Request, form: forms.Refresh | None = None) -> Response:
        """Use a refresh token; answers a new pair."""
        form = form or forms.Refresh()
        web = browser.speaks(request)
        token = _cookie_of(browser, request, form.refresh_token) if web else form.refresh_token
        if token is None:
            raise QuintetError("unauthenticated" if web else "bad_message")
        return answers.pair(request, await accounts.refresh(token, form.attempt_id), web=web)

    @router.post("/v1/auth/logout", status_code=204)
    async def logout(request: Request, form: forms.Logout | None = None) -> Response:
        """End the session of the access token or the refresh token."""
        given = form.refresh_token if form else None
        web = browser.speaks(request)
        token = _cookie_of(browser, request, given) if web else given
        await accounts.logout(_access_token(request), token)
        response = Response(status_code=204)
        if web:
            browser.forget(request, response)
        return response


def _add_keys(router: APIRouter, accounts: Accounts) -> None:
    @router.get("/.well-known/jwks.json", response_model=views.Keys)
    async def jwks() -> Response:
        """The public keys of access tokens."""
        headers = {"Cache-Control": f"public, max-age={KEPT_SECONDS}"}
        return JSONResponse(accounts.identities.jwks(), headers=headers)


def _cookie_of(browser: Browser, request: Request, in_body: str | None) -> str | None:
    if in_body is not None:
        raise QuintetError("ambiguous_credentials")
    return browser.token(request)


def _access_token(request: Request) -> str | None:
    """A malformed credential signs nobody out, and that is no error."""
    try:
        return bearer_of(request)
    except QuintetError as refusal:
        if refusal.code != "invalid_token":
            raise
        return None

"""The routes of the second factor and of passkeys."""

from typing import Any, NamedTuple

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from quintet.accounts.door.answers import Answers
from quintet.accounts.door.browser import Browser
from quintet.accounts.door.doorkeeper import Doorkeeper
from quintet.accounts.door.views import SignedInView
from quintet.accounts.factors import forms
from quintet.accounts.factors.passkeys import Passkeys
from quintet.accounts.factors.second import SecondFactor
from quintet.accounts.own.own import OwnAccount
from quintet.accounts.sessions.entering import Entering
from quintet.events import timestamp
from quintet.scope import Identity

__all__ = ["Rooms", "add_factor_routes"]


class Rooms(NamedTuple):
    """What the routes speak to."""

    second: SecondFactor
    passkeys: Passkeys
    own: OwnAccount
    entering: Entering


def add_factor_routes(
    router: APIRouter, rooms: Rooms, answers: Answers, browser: Browser, door: Doorkeeper, signed_in: Any
) -> None:
    """Add them to `router`. `signed_in` is the dependency that answers the identity of a session."""
    address = Depends(door.address)
    _add_entry(router, rooms, answers, browser, door)
    _add_factor(router, rooms, signed_in, address)
    _add_passkeys(router, rooms.passkeys, signed_in, address)


def _add_entry(router: APIRouter, rooms: Rooms, answers: Answers, browser: Browser, door: Doorkeeper) -> None:
    @router.post("/v1/auth/login/factor", response_model=SignedInView)
    async def login_factor(request: Request, form: forms.CodeStep) -> Response:
        """The second step of a sign-in: a code of the authenticator, or a recovery code."""
        web = browser.speaks(request)
        door.sign_in(request)
        visitor = door.visitor(request, form.device)
        made = await rooms.second.complete(form.pending_token, form.code, visitor, rooms.entering)
        return answers.signed_in(request, made, 200, web=web)

    @router.post("/v1/auth/login/passkey/options", response_model=forms.Options)
    async def passkey_request(request: Request) -> Response:
        """What a browser needs to sign in with a passkey."""
        door.sign_in(request)
        return JSONResponse({"publicKey": await rooms.passkeys.request(_host(request))})

    @router.post("/v1/auth/login/passkey", response_model=SignedInView)
    async def login_passkey(request: Request, form: forms.PasskeyEntry) -> Response:
        """Sign in with a passkey."""
        web = browser.speaks(request)
        visitor = door.visitor(request, form.device)
        made = await rooms.passkeys.enter(form.credential, _host(request), visitor, rooms.entering)
        return answers.signed_in(request, made, 200, web=web)


def _add_factor(router: APIRouter, rooms: Rooms, signed_in: Any, address: Any) -> None:
    second = rooms.second

    @router.get("/v1/auth/factor", response_model=forms.FactorView)
    async def factor(identity: Identity = signed_in) -> Response:
        """Whether a second factor is on."""
        found = await second.standing(identity.user_id)
        if not found.on or found.since is None:
            return JSONResponse({"on": False})
        since = timestamp(found.since)
        return JSONResponse({"on": True, "since": since, "recovery_codes_left": found.recovery_codes_left})

    @router.post("/v1/auth/factor", response_model=forms.EnrolmentView)
    async def enrol(form: forms.Confirming, identity: Identity = signed_in) -> Response:
        """Begin to add an authenticator."""
        user = await rooms.own.me(identity.user_id)
        return JSONResponse((await second.enrol(identity, user.email, form.password))._asdict())

    @router.post("/v1/auth/factor/confirm", response_model=forms.RecoveryCodes)
    async def confirm(form: forms.Code, identity: Identity = signed_in, address: str = address) -> Response:
        """Switch it on, by a code of it. The recovery codes are shown this once."""
        return JSONResponse({"recovery_codes": await second.confirm(identity, form.code, address)})

    @router.post("/v1/auth/factor/recovery-codes", response_model=forms.RecoveryCodes)
    async def renew(form: forms.Confirming, identity: Identity = signed_in, address: str = address) -> Response:
        """New recovery codes in the place of the earlier ones."""
        return JSONResponse({"recovery_codes": await second.renew_codes(identity, form.password, address)})

    @router.delete("/v1/auth/factor", status_code=204)
    async def remove(form: forms.Confirming, identity: Identity = signed_in, address: str = address) -> Response:
        """Switch it off."""
        await second.remove(identity, form.password, address)
        return Response(status_code=204)


def _add_passkeys(router: APIRouter, passkeys: Passkeys, signed_in: Any, address: Any) -> None:
    @router.get("/v1/auth/passkeys", response_model=forms.Passkeys)
    async def list_passkeys(identity: Identity = signed_in) -> Response:
        """The passkeys of whoever asks."""
        return JSONResponse({"items": [found.view() for found in await passkeys.list(identity.user_id)]})

    @router.post("/v1/auth/passkeys/options", response_model=forms.Options)
    async def creation(request: Request, form: forms.Confirming, identity: Identity = signed_in) -> Response:
        """What a browser needs to make a passkey."""
        return JSONResponse({"publicKey": await passkeys.creation(identity, form.password, _host(request))})

    @router.post("/v1/auth/passkeys", status_code=201, response_model=forms.PasskeyView)
    async def add(
        request: Request, form: forms.NewPasskey, identity: Identity = signed_in, address: str = address
    ) -> Response:
        """Keep the passkey that a browser has made."""
        made = await passkeys.add(identity, form.name, form.credential, _host(request), address)
        return JSONResponse(made.view(), 201)

    @router.patch("/v1/auth/passkeys/{passkey_id}", status_code=204)
    async def rename(
        passkey_id: str, form: forms.PasskeyName, identity: Identity = signed_in, address: str = address
    ) -> Response:
        """Give it another name."""
        await passkeys.rename(identity.user_id, passkey_id, form.name, address)
        return Response(status_code=204)

    @router.delete("/v1/auth/passkeys/{passkey_id}", status_code=204)
    async def remove(
        passkey_id: str,
        form: forms.Confirming | None = None,
        identity: Identity = signed_in,
        address: str = address,
    ) -> Response:
        """Take it away."""
        await passkeys.remove(identity, passkey_id, form.password if form else None, address)
        return Response(status_code=204)


def _host(request: Request) -> str:
    return request.headers.get("host", "")

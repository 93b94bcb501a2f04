"""The routes of what is done by letter. A link in a letter leads to the page; only what the page then posts uses its token up."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from quintet.accounts.door import forms, views
from quintet.accounts.door.doorkeeper import Doorkeeper
from quintet.accounts.flows import Accounts
from quintet.edge.identity import identity_of
from quintet.scope import Identity

__all__ = ["add_letter_routes"]


def add_letter_routes(router: APIRouter, accounts: Accounts, door: Doorkeeper) -> None:
    """Add them to `router`."""
    _add_entrance(router, accounts)
    _add_recovery(router, accounts, door)
    _add_verification(router, accounts, door)


def _add_entrance(router: APIRouter, accounts: Accounts) -> None:
    config = accounts.config

    @router.get("/v1/auth/entrance", response_model=views.Entrance)
    async def entrance() -> Response:
        """How one comes in here: who may sign up, whether addresses are confirmed, whether letters are written, who else vouches."""
        told = {
            "sign_up": config.sign_up,
            "verify_email": config.verify_email,
            "letters": accounts.post.is_open,
            "providers": [{"name": provider.name, "title": provider.title} for provider in config.providers],
        }
        return JSONResponse(told)


def _add_recovery(router: APIRouter, accounts: Accounts, door: Doorkeeper) -> None:
    @router.post("/v1/auth/password/forgot", status_code=202)
    async def forgot(request: Request, form: forms.Forgotten) -> Response:
        """Ask for a letter with which a new password can be chosen. The answer is the same whether or not there is such an account."""
        door.letter(request)
        accounts.recovery.forgot(form.email, door.address(request))
        return Response(status_code=202)

    @router.post("/v1/auth/password/reset", status_code=204)
    async def reset(request: Request, form: forms.Reset) -> Response:
        """Choose a new password; all sessions end."""
        door.letter(request)
        await accounts.recovery.reset(form.token, form.new, door.address(request))
        return Response(status_code=204)


def _add_verification(router: APIRouter, accounts: Accounts, door: Doorkeeper) -> None:
    signed_in = Depends(identity_of(accounts.authenticate))

    @router.post("/v1/auth/email/verify", status_code=204)
    async def verify(request: Request, form: forms.Verify) -> Response:
        """Confirm the address that a letter went to."""
        door.letter(request)
        await accounts.verification.verify(form.token, door.address(request))
        return Response(status_code=204)

    @router.post("/v1/auth/email", status_code=202)
    async def change(request: Request, form: forms.NewAddress, identity: Identity = signed_in) -> Response:
        """Ask for another address, or for a letter that confirms one's own. Nothing changes before the letter is answered."""
        door.letter(request)
        await accounts.verification.change(identity, form.email, form.password, door.address(request))
        return Response(status_code=202)

"""The routes by which a signed-in user makes, sees and revokes API keys. A key cannot: they need a session."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from quintet.accounts.door import forms
from quintet.accounts.machines.own_keys import MOST_DAYS, OwnKeys, shown
from quintet.accounts.passwords.confirmation import Confirmation
from quintet.edge.identity import Authenticate, identity_of
from quintet.errors import QuintetError
from quintet.scope import Identity

__all__ = ["add_key_routes"]

USUAL_DAYS = 90


class NewKey(forms.Form):
    """POST /v1/auth/keys. The password confirms who asks; whoever has none has to have signed in a moment ago."""

    name: forms.ShownText
    scopes: Annotated[list[str], Field(max_length=10)] = Field(default=["read", "write"])
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = USUAL_DAYS
    password: forms.AnyText | None = None


class KeyView(BaseModel):
    """An API key of the user who asks. `hint` are its first characters."""

    id: str
    name: str
    hint: str
    scopes: list[str]
    created_at: str
    expires_at: str
    last_used_at: str | None = None


class MadeKeyView(KeyView):
    """A new one. `key` is shown this once."""

    key: str


class KeysView(BaseModel):
    """All of them that stand, the newest first."""

    items: list[KeyView]


def add_key_routes(router: APIRouter, own: OwnKeys, confirmation: Confirmation, authenticate: Authenticate) -> None:
    """Add them to `router`."""
    signed_in: Any = Depends(identity_of(authenticate))

    @router.get("/v1/auth/keys", response_model=KeysView)
    async def list_keys(identity: Identity = signed_in) -> Response:
        """The API keys."""
        return JSONResponse({"items": [shown(key) for key in await own.keys(identity.user_id)]})

    @router.post("/v1/auth/keys", status_code=201, response_model=MadeKeyView)
    async def make_key(form: NewKey, identity: Identity = signed_in) -> Response:
        """Make an API key. Its text is in this answer and nowhere else."""
        confirmed = await confirmation.confirm(identity, form.password)
        key, text = await own.make(confirmed, form.name, form.scopes, form.days)
        return JSONResponse({**shown(key), "key": text}, 201)

    @router.delete("/v1/auth/keys/{key_id}", status_code=204)
    async def revoke_key(key_id: str, identity: Identity = signed_in) -> Response:
        """Revoke an API key; its connections are closed."""
        if not await own.revoke(identity.user_id, key_id):
            raise QuintetError("not_found")
        return Response(status_code=204)

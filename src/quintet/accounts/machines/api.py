"""The route of service clients: a token for a client that proves itself (RFC 6749, 4.4)."""

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from quintet.accounts.machines.forms import basic, read_form
from quintet.accounts.machines.services import Granted, Services
from quintet.edge.problems import problem, request_id_of
from quintet.errors import CODES, QuintetError

__all__ = ["add_service_routes"]

# What RFC 6749, 5.2 calls a refusal, where its word is not our own.
_WORDS = {"bad_message": "invalid_request", "too_long": "invalid_request", "unsupported_media_type": "invalid_request"}
_OF_OAUTH = frozenset({"invalid_client", "invalid_request", "invalid_scope", "unsupported_grant_type"})

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "scope": {"type": "string"},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string"},
                    },
                }
            }
        },
    }
}


class GrantedView(BaseModel):
    """A service's token."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


def add_service_routes(router: APIRouter, services: Services) -> None:
    """Add them to `router`."""

    @router.post("/v1/auth/token", response_model=GrantedView, openapi_extra=_FORM)
    async def token(request: Request) -> Response:
        """A token for a service client. A refusal has the word of RFC 6749 in `error`, beside the members of every problem."""
        try:
            granted = await _granted(request, services)
        except QuintetError as refusal:
            return _refused(request, refusal)
        return Response(msgspec.json.encode(granted), media_type="application/json", headers={"Pragma": "no-cache"})


async def _granted(request: Request, services: Services) -> Granted:
    fields = await read_form(request)
    header = basic(request)
    in_body = fields.get("client_id"), fields.get("client_secret")
    if header is not None and in_body[1] is not None:
        raise QuintetError("invalid_request", "Send the client's secret once: in the header or in the form.")
    client_id, secret = header if header is not None else in_body
    if "grant_type" not in fields:
        raise QuintetError("invalid_request")
    if fields["grant_type"] != "client_credentials":
        raise QuintetError("unsupported_grant_type")
    if not client_id or not secret:
        raise QuintetError("invalid_client")
    return await services.grant(client_id, secret, fields.get("scope"))


def _refused(request: Request, refusal: QuintetError) -> Response:
    request.state.refusal = refusal.code
    word = refusal.code if refusal.code in _OF_OAUTH else _WORDS.get(refusal.code)
    if word is not None:
        more = {**refusal.more, "error": word, "error_description": CODES[refusal.code].sentence}
        refusal = QuintetError(refusal.code, refusal.message, retry_after=refusal.retry_after, more=more)
    answer = problem(refusal, request_id_of(request))
    if refusal.code == "invalid_client":
        answer.headers["WWW-Authenticate"] = 'Basic realm="quintet"'
    return answer

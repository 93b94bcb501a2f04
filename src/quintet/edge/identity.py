"""Whom a request speaks for. The route gets the identity as an argument; it is kept nowhere else."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from quintet.errors import QuintetError
from quintet.scope import Identity

__all__ = ["Authenticate", "bearer_of", "identity_of"]

Authenticate = Callable[[str], Awaitable[Identity]]
"""An access token's identity. Raises QuintetError `invalid_token`, `token_expired` or `session_revoked`."""


def bearer_of(request: Request) -> str | None:
    """The bearer token of the request; None when it brings no credential.

    Raises:
        QuintetError: `ambiguous_credentials` for two of them, `invalid_token` for another scheme.
    """
    given = request.headers.getlist("authorization")
    if not given:
        return None
    if len(given) > 1:
        raise QuintetError("ambiguous_credentials")
    scheme, _, token = given[0].partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise QuintetError("invalid_token")
    return token.strip()


class _CurrentIdentity(SecurityBase):
    """A dependency that the description of the API shows as what it is: a bearer token."""

    def __init__(self, authenticate: Authenticate) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="An access token of /v1/auth.")
        self.scheme_name = "bearer"
        self._authenticate = authenticate

    async def __call__(self, request: Request) -> Identity:
        token = bearer_of(request)
        if token is None:
            raise QuintetError("unauthenticated")
        return await self._authenticate(token)


def identity_of(authenticate: Authenticate) -> Callable[[Request], Awaitable[Identity]]:
    """A FastAPI dependency that answers who asks, or refuses with 401."""
    return _CurrentIdentity(authenticate)

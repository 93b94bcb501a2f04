"""Whom a request speaks for. The route gets the identity as an argument; it is kept nowhere else."""

from collections.abc import Awaitable, Callable

from fastapi import Request

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


def identity_of(authenticate: Authenticate) -> Callable[[Request], Awaitable[Identity]]:
    """A FastAPI dependency that answers who asks, or refuses with 401."""

    async def current_identity(request: Request) -> Identity:
        token = bearer_of(request)
        if token is None:
            raise QuintetError("unauthenticated")
        return await authenticate(token)

    return current_identity

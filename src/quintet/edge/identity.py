"""Whom a request speaks for. The route gets the identity as an argument; it is kept nowhere else.

1. What a route does not ask for it does not get: `identity_of` lets sessions in alone, since most of what it guards changes an account.
2. A program that speaks for a user comes in by `speaker_of`, as far as its scopes go: reading reads, everything else writes.
3. A service speaks for nobody: its tokens are of another audience, and `service_of` is the only door it has.
"""

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from quintet.errors import QuintetError
from quintet.scope import Identity, Service

__all__ = [
    "Authenticate",
    "AuthenticateService",
    "bearer_of",
    "identity_of",
    "person_or_service_of",
    "service_of",
    "speaker_of",
]

Authenticate = Callable[[str], Awaitable[Identity]]
"""An access token's identity. Raises QuintetError `invalid_token`, `token_expired` or `session_revoked`."""

AuthenticateService = Callable[[str], Awaitable[Service]]
"""A service token's service. Raises QuintetError `invalid_token` or `token_expired`."""

_READING = frozenset({"GET", "HEAD"})


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


def _required(request: Request) -> str:
    token = bearer_of(request)
    if token is None:
        raise QuintetError("unauthenticated")
    return token


class _Bearer(SecurityBase):
    """A dependency that the description of the API shows as what it is: a bearer token."""

    def __init__(self, authenticate: Authenticate) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="An access token of /v1/auth.")
        self.scheme_name = "bearer"
        self._authenticate = authenticate


class _SignedIn(_Bearer):
    async def __call__(self, request: Request) -> Identity:
        identity = await self._authenticate(_required(request))
        if identity.kind != "session":
            raise QuintetError("forbidden", "This needs a person who has signed in, not an API key or a foreign token.")
        return identity


class _Speaker(_Bearer):
    async def __call__(self, request: Request) -> Identity:
        identity = await self._authenticate(_required(request))
        if ("read" if request.method in _READING else "write") not in identity.scopes:
            raise QuintetError("forbidden", "This API key may not do that.")
        return identity


class _Granted(SecurityBase):
    def __init__(self, authenticate: AuthenticateService, scope: str) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description=f"A service token with the scope {scope}.")
        self.scheme_name = "service"
        self._authenticate = authenticate
        self._scope = scope

    async def __call__(self, request: Request) -> Service:
        service = await self._authenticate(_required(request))
        if self._scope not in service.scopes:
            raise QuintetError("forbidden", f"This service was not granted {self._scope}.")
        return service


class _SignedInOrGranted(_Bearer):
    def __init__(self, authenticate: Authenticate, services: AuthenticateService, scope: str) -> None:
        super().__init__(authenticate)
        self._signed_in = _SignedIn(authenticate)
        self._granted = _Granted(services, scope)

    async def __call__(self, request: Request) -> Identity | Service:
        try:
            return await self._signed_in(request)
        except QuintetError as refusal:
            if refusal.code != "invalid_token":
                raise
        return await self._granted(request)


def identity_of(authenticate: Authenticate) -> Callable[[Request], Awaitable[Identity]]:
    """A FastAPI dependency that answers who has signed in, or refuses: 401, and 403 whoever came another way."""
    return _SignedIn(authenticate)


def speaker_of(authenticate: Authenticate) -> Callable[[Request], Awaitable[Identity]]:
    """A FastAPI dependency that answers in whose name the request speaks, or refuses: 401, and 403 beyond its scopes."""
    return _Speaker(authenticate)


def person_or_service_of(
    authenticate: Authenticate, services: AuthenticateService, scope: str
) -> Callable[[Request], Awaitable[Identity | Service]]:
    """A FastAPI dependency that answers who has signed in, or which service with the scope asks; refuses as those two do."""
    return _SignedInOrGranted(authenticate, services, scope)


def service_of(authenticate: AuthenticateService, scope: str) -> Callable[[Request], Awaitable[Service]]:
    """A FastAPI dependency that answers which service asks, or refuses: 401, and 403 without the scope."""
    return _Granted(authenticate, scope)

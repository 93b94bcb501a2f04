"""Client credentials (RFC 6749, 4.4) and what comes of them: short tokens of an audience of their own.

1. A service's token is no user's: another audience, other claims, so neither is ever taken for the other.
2. What it may do is in the token; whether its client still may anything is read anew each time, so disabling is immediate.
3. Guesses are counted per client, whether or not there is one of this name; the right secret is let in also then: 256 bits need no
   lock, and with one whoever knows a client's name could keep it out.
"""

from contextlib import suppress

import msgspec

from quintet.accounts.config import AccountsConfig
from quintet.accounts.machines import clients
from quintet.accounts.machines.clients import Client
from quintet.accounts.machines.scopes import chosen, written
from quintet.accounts.sessions.identities import Identities
from quintet.edge.limits import Throttle
from quintet.errors import QuintetError
from quintet.scope import Service
from quintet.sources import Sources
from quintet.store import Store, Tx

__all__ = ["Granted", "ServiceClaims", "Services"]

SECONDS = 300
_FAILURES = "20 per 1 minute"
_LONGEST_ID = 40


class ServiceClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What a service's token says (RFC 9068). Times are Unix seconds."""

    iss: str
    aud: str
    sub: str
    client_id: str
    scope: str
    jti: str
    iat: int
    exp: int


class Granted(msgspec.Struct, frozen=True):
    """The answer to client credentials (RFC 6749, 5.1)."""

    access_token: str
    scope: str
    token_type: str = "Bearer"  # noqa: S105 - the type, not a token
    expires_in: int = SECONDS


_decode = msgspec.json.Decoder(ServiceClaims).decode
_encode = msgspec.json.Encoder().encode


class Services:
    """Issues and recognises the tokens of service clients."""

    def __init__(self, store: Store, sources: Sources, identities: Identities, config: AccountsConfig) -> None:
        self._store = store
        self._sources = sources
        self._identities = identities
        self._issuer = config.issuer
        self._audience = f"{config.audience}:services"
        self._leeway = config.leeway_seconds
        self._failures = Throttle(_FAILURES, sources.monotonic)

    async def grant(self, client_id: str, secret: str, asked: str | None) -> Granted:
        """A token for a client that proves itself; all its scopes where it asks for none.

        Raises:
            QuintetError: `invalid_client`, `invalid_scope`, `rate_limited`.
        """
        if len(client_id) > _LONGEST_ID or not clients.is_secret(secret):
            raise QuintetError("invalid_client")
        client = await self._store.read(lambda tx: clients.by_id(tx, client_id))
        if not clients.fits(client, secret):
            self._failures.take(client_id)
            raise QuintetError("invalid_client")
        assert client is not None
        if client.disabled_at is not None:
            raise QuintetError("invalid_client")
        allowed = client.scopes.split()
        scopes = chosen(asked.split(" ") if asked else allowed, allowed)
        await self._note(client)
        return Granted(self._issue(client, written(scopes)), written(scopes))

    async def authenticate(self, token: str) -> Service:
        """Which service the token speaks for.

        Raises:
            QuintetError: `invalid_token`, `token_expired`; `busy` and `unavailable` of the store.
        """
        now = self._sources.now_ms() // 1000
        try:
            claims = _decode(await self._identities.payload(token))
        except msgspec.MsgspecError:
            raise QuintetError("invalid_token") from None
        if claims.iss != self._issuer or claims.aud != self._audience or claims.iat > now + self._leeway:
            raise QuintetError("invalid_token")
        if not claims.iat < claims.exp <= claims.iat + SECONDS:
            raise QuintetError("invalid_token")
        if claims.exp + self._leeway <= now:
            raise QuintetError("token_expired")
        client = await self._store.read(lambda tx: clients.by_id(tx, claims.sub))
        if client is None or client.disabled_at is not None:
            raise QuintetError("invalid_token")
        return Service(client.id, frozenset(claims.scope.split()) & frozenset(client.scopes.split()), claims.exp)

    def _issue(self, client: Client, scope: str) -> str:
        now = self._sources.now_ms() // 1000
        claims = ServiceClaims(
            iss=self._issuer,
            aud=self._audience,
            sub=client.id,
            client_id=client.id,
            scope=scope,
            jti=self._sources.new_id("tok"),
            iat=now,
            exp=now + SECONDS,
        )
        return self._identities.signed(_encode(claims))

    async def _note(self, client: Client) -> None:
        now = self._sources.now_ms()
        if now - (client.used_at or 0) < clients.USED_MS:
            return

        def note(tx: Tx) -> None:
            clients.used(tx, client.id, now)

        with suppress(QuintetError):  # a store that cannot just now is no reason to refuse
            await self._store.write("service_clients", note)

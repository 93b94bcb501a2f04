"""The two requests of a sign-in with a provider: where the browser is sent, and a code turned into a person (OpenID Connect Core 1.0, 3.1).

1. PKCE (RFC 7636, S256): a stolen code is worth nothing without what only we know.
2. Everything in the ID token is checked: signature, algorithm, issuer, audience, `azp`, times, nonce.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

from quintet.accounts.elsewhere import Provider
from quintet.accounts.external.believing import LONGEST_NAME, believed, check_times
from quintet.accounts.external.fetching import fetch_json
from quintet.accounts.external.keysets import KeySet
from quintet.accounts.external.linked import Person
from quintet.accounts.external.metadata import Metadata
from quintet.accounts.external.people import confirmed_address
from quintet.errors import QuintetError
from quintet.sources import Sources

__all__ = ["Exchange", "challenge_of"]

SCOPES = "openid email profile"
LONGEST_CODE = 4096
LONGEST_LIFE = 24 * 3600  # seconds, of an ID token


def challenge_of(verifier: str) -> str:
    """What the provider is shown of the verifier (RFC 7636, 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode("ascii").rstrip("=")


class Exchange:
    """What is said to one provider. `redirect_uri` is where it sends the browser back to."""

    def __init__(self, provider: Provider, redirect_uri: str, sources: Sources, leeway: int) -> None:
        self.provider = provider
        self._redirect_uri = redirect_uri
        self._sources = sources
        self._leeway = leeway
        self._metadata = Metadata(provider.issuer, sources)
        self._keys = KeySet(lambda: self._metadata.address("jwks_uri"), sources)

    async def address(self, state: str, nonce: str, verifier: str) -> str:
        """Where the browser is sent. Raises QuintetError `unavailable`."""
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": SCOPES,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        base = await self._metadata.address("authorization_endpoint")
        return f"{base}{'&' if '?' in base else '?'}{urlencode(asked)}"

    async def person(self, code: str, verifier: str, nonce: str) -> Person:
        """Whom the provider vouches for.

        Raises:
            QuintetError: `invalid_token` where the code or the token is not what it has to be; `token_expired`; `unavailable`.
        """
        if not 1 <= len(code) <= LONGEST_CODE:
            raise QuintetError("invalid_token")
        claims = await self._claims(await self._id_token(code, verifier))
        given = claims.get("nonce")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            raise QuintetError("invalid_token")
        subject, name = claims.get("sub"), claims.get("name")
        if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_NAME:
            raise QuintetError("invalid_token")
        return Person(self.provider.issuer, subject, confirmed_address(claims), name if isinstance(name, str) else None)

    async def _id_token(self, code: str, verifier: str) -> str:
        provider = self.provider
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        methods = await self._metadata.words("token_endpoint_auth_methods_supported")
        basic = None
        if not methods or "client_secret_basic" in methods:
            basic = (quote(provider.client_id, safe=""), quote(provider.client_secret, safe=""))  # RFC 6749, 2.3.1
        else:
            form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
        status, told = await fetch_json(await self._metadata.address("token_endpoint"), form, basic)
        token = told.get("id_token")
        if status != 200 or not isinstance(token, str):
            raise QuintetError("invalid_token")
        return token

    async def _claims(self, token: str) -> dict[str, Any]:
        _, claims = await believed(token, self._keys, self.provider.algorithms)
        audience, mine = claims.get("aud"), self.provider.client_id
        several = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self.provider.issuer or mine not in several:
            raise QuintetError("invalid_token")
        if claims.get("azp", mine if len(several) == 1 else None) != mine:
            raise QuintetError("invalid_token")
        check_times(claims, self._sources.now_ms() // 1000, self._leeway, LONGEST_LIFE)
        return claims

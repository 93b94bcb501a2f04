"""Access tokens: ES256, `typ: at+jwt` (RFC 9068), ten minutes.

1. Size and shape come first, then the header, then the signature, then the claims; the database is not asked before all fit.
2. Nothing in the token chooses how it is checked: one algorithm, our keys by `kid`, and exactly our header (`jwk`, `jku`, `crit`
   and `none` have no way in).
3. The library checks neither time, type, issuer nor audience: we do.
"""

import re
from base64 import urlsafe_b64encode
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from quintet.accounts.keys import KeyRing
from quintet.errors import QuintetError

__all__ = ["Claims", "Tokens", "UnknownKeyError", "payload", "signed"]

LONGEST = 2048
ALGORITHM = "ES256"
TYPE = "at+jwt"
HEADER_KEYS = {"alg", "kid", "typ"}

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_registry = jws.JWSRegistry(algorithms=[ALGORITHM])
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Claims(msgspec.Struct, frozen=True):
    """What an access token says. Times are Unix seconds."""

    iss: str
    aud: str
    sub: _Id
    sid: _Id
    jti: _Id
    iat: int
    exp: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Claims).decode


class UnknownKeyError(QuintetError):
    """The token names a key that is not on the ring: perhaps a new one of another server."""

    def __init__(self) -> None:
        super().__init__("invalid_token")


class Tokens:
    """Issues and verifies for one issuer and audience. `seconds` is a token's life, `leeway` what clocks may differ."""

    def __init__(self, issuer: str, audience: str, seconds: int, leeway: int) -> None:
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway
        self.seconds = seconds

    def issue(self, ring: KeyRing, user_id: str, session_id: str, token_id: str, now: int) -> str:
        """A signed access token for a session. The same arguments give the same token, to the byte."""
        claims = Claims(self._issuer, self._audience, user_id, session_id, token_id, now, now + self.seconds)
        return signed(ring, _encode(claims))

    def verify(self, ring: KeyRing, token: str, now: int) -> Claims:
        """What a genuine, current token says.

        Raises:
            QuintetError: `invalid_token`, `token_expired`.
            UnknownKeyError: an `invalid_token` that a newer ring may know.
        """
        try:
            claims = _decode(payload(ring, token, now))
        except ValueError:  # msgspec's errors
            raise QuintetError("invalid_token") from None
        self._check(claims, now)
        return claims

    def _check(self, claims: Claims, now: int) -> None:
        if claims.iss != self._issuer or claims.aud != self._audience:
            raise QuintetError("invalid_token")
        if claims.iat > now + self._leeway or not claims.iat < claims.exp <= claims.iat + self.seconds:
            raise QuintetError("invalid_token")
        if claims.exp + self._leeway <= now:
            raise QuintetError("token_expired")


def _signature(key: ECKey, text: bytes) -> bytes:
    """Without randomness (RFC 6979), which the library does not offer: a repeated answer is the same one, and no bad nonce leaks the key."""
    der = key.get_op_key("sign").sign(text, ECDSA(SHA256(), deterministic_signing=True))
    return b"".join(number.to_bytes(32) for number in decode_dss_signature(der))


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode("ascii").rstrip("=")


def signed(ring: KeyRing, claims: bytes) -> str:
    """A token of these claims. The same arguments give the same token, to the byte."""
    header = {"typ": TYPE, "alg": ALGORITHM, "kid": ring.kid}
    text = f"{_base64url(_encode(header))}.{_base64url(claims)}"
    return f"{text}.{_base64url(_signature(ring.signing, text.encode()))}"


def payload(ring: KeyRing, token: str, now: int) -> bytes:
    """The claims of a token that we have signed, not looked at yet.

    Raises:
        QuintetError: `invalid_token`.
        UnknownKeyError: an `invalid_token` that a newer ring may know.
    """
    if len(token) > LONGEST or not _SHAPE.fullmatch(token):
        raise QuintetError("invalid_token")
    try:
        return _payload(ring, token, now)
    except (JoseError, ValueError, TypeError, RecursionError):  # ValueError: malformed base64, too
        raise QuintetError("invalid_token") from None


def _payload(ring: KeyRing, token: str, now: int) -> bytes:
    signed = jws.extract_compact(token.encode("ascii"))
    header = signed.headers()
    if set(header) != HEADER_KEYS or header["alg"] != ALGORITHM or header["typ"] != TYPE:
        raise ValueError("not a header of ours")
    if not isinstance(header["kid"], str):
        raise ValueError("not a key's name")
    key = ring.verifier(header["kid"], now * 1000)
    if key is None:
        raise UnknownKeyError
    if not jws.validate_compact(signed, key, registry=_registry):
        raise ValueError("not signed by us")
    return signed.payload

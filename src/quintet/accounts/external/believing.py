"""A token of another issuer, checked: which algorithms are believed is set by the operator, never by the token.

1. Only signatures with a public key: with a shared one whoever can check could also sign.
2. The key must be of the kind that the algorithm needs, so a public key is never taken for a shared secret.
3. Nothing in the header but the algorithm and the key's name has a say; what is marked critical is refused.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from quintet.accounts.external.keysets import KeySet, PublicKey
from quintet.edge.bodies import parse
from quintet.errors import QuintetError

__all__ = ["ALGORITHMS", "LONGEST", "believed", "check_times", "is_jwt", "unverified_issuer"]

LONGEST = 16 * 1024
LONGEST_NAME = 255  # OpenID Connect Core, 2: of a subject

ALGORITHMS: Mapping[str, str] = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC", "EdDSA": "OKP", "Ed25519": "OKP",
}  # fmt: skip
"""What may be pinned, and the kind of key it needs (RFC 7518, 3.1)."""

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def is_jwt(token: str) -> bool:
    """Whether it has the form of a signed token."""
    return len(token) <= LONGEST and _SHAPE.fullmatch(token) is not None


def unverified_issuer(token: str) -> str | None:
    """Whose token it means to be: only for choosing who checks it."""
    if not is_jwt(token):
        return None
    try:
        claims = parse(jws.extract_compact(token.encode("ascii")).payload)
    except (JoseError, QuintetError, ValueError, TypeError, RecursionError):
        return None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else None


async def believed(token: str, keys: KeySet, algorithms: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token that a key of the set has signed; the claims not looked at yet.

    Raises:
        QuintetError: `invalid_token`; `unavailable` while the keys are not known.
    """
    try:
        if not is_jwt(token):
            raise ValueError("no token")
        signed = jws.extract_compact(token.encode("ascii"))
        header = signed.headers()
        algorithm, kid = header.get("alg"), header.get("kid")
        if (
            not isinstance(algorithm, str)
            or algorithm not in algorithms
            or algorithm not in ALGORITHMS
            or {"crit", "b64"} & header.keys()
        ):
            raise ValueError("an algorithm that is not believed, or what we do not understand")
        if kid is not None and not isinstance(kid, str):
            raise ValueError("no name of a key")
        key: PublicKey = await keys.key(kid)
        if key.key_type != ALGORITHMS[algorithm]:
            raise ValueError("a key of another kind")
        if not jws.validate_compact(signed, key, registry=jws.JWSRegistry(algorithms=[algorithm])):
            raise ValueError("not signed by it")
        claims = parse(signed.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise QuintetError("invalid_token") from None
    except QuintetError as refusal:
        raise QuintetError("invalid_token" if refusal.code == "bad_message" else refusal.code) from None
    if not isinstance(claims, dict):
        raise QuintetError("invalid_token")
    return header, claims


def check_times(claims: Mapping[str, Any], now: int, leeway: int, longest: int) -> int:
    """When the token ends (Unix seconds).

    Raises:
        QuintetError: `token_expired`; `invalid_token` for one without an end, of the future, or that lives longer than `longest` seconds.
    """
    exp, iat, nbf = (claims.get(name) for name in ("exp", "iat", "nbf"))
    if not _is_time(exp) or not all(at is None or _is_time(at) for at in (iat, nbf)):
        raise QuintetError("invalid_token")
    assert exp is not None
    if exp + leeway <= now:
        raise QuintetError("token_expired")
    begun = iat if iat is not None else now
    if begun > now + leeway or (nbf is not None and nbf > now + leeway) or exp > begun + longest:
        raise QuintetError("invalid_token")
    return int(exp)


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 53

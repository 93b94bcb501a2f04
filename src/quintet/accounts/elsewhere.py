"""What the operator has said about others."""

from dataclasses import dataclass, field

__all__ = ["USUAL_ALGORITHMS", "Issuer", "Provider"]


USUAL_ALGORITHMS = ("RS256", "ES256")


@dataclass(frozen=True, slots=True)
class Provider:
    """Somebody to sign in with (OpenID Connect). `name` is in the address of the routes, `title` on the button.

    `trusted`: its users may make an account wherever sign-up is not open, and the addresses that it says are confirmed join accounts.
    """

    name: str
    title: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    trusted: bool = False
    algorithms: tuple[str, ...] = ("RS256", "ES256", "PS256", "EdDSA")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose access tokens are believed. `jwks_url` None: the one its metadata names. `longest` is a token's life in seconds, at most."""

    url: str
    audience: str
    algorithms: tuple[str, ...] = USUAL_ALGORITHMS
    jwks_url: str | None = None
    longest: int = 24 * 3600

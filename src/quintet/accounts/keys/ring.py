"""The signing keys as a server holds them in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from joserfc.jwk import ECKey

__all__ = ["KeyRing", "Verifying"]


class Verifying(NamedTuple):
    """A key that verifies. `until` is in milliseconds since 1970; None while it is not retiring."""

    key: ECKey
    until: int | None = None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key that signs, and all that verify, by `kid`: the one that signs, the next one, those that retire."""

    kid: str
    signing: ECKey
    verifying: Mapping[str, Verifying]

    def verifier(self, kid: str, now_ms: int) -> ECKey | None:
        """The key of this name, unless its time is over: also where nobody has looked at the table since."""
        found = self.verifying.get(kid)
        return found.key if found is not None and (found.until is None or now_ms < found.until) else None

    def jwks(self, now_ms: int) -> dict[str, Any]:
        """The public keys (RFC 7517), the one that signs first."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": "ES256"}
                for kid in self.verifying
                if (key := self.verifier(kid, now_ms)) is not None
            ]
        }

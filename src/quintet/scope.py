"""The only key to owned tables: who asks. It is handed on as an argument and never kept where two requests could meet."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["EVERYTHING", "Identity", "Kind", "Service", "UserScope"]

Kind = Literal["session", "key", "issuer"]
"""What spoke for the user: a session of ours, an API key, or a token of another issuer."""

EVERYTHING = frozenset({"read", "write"})


@dataclass(frozen=True, slots=True)
class UserScope:
    """The user on whose behalf something is read or written. Every query of an owned table begins with `user_id`."""

    user_id: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a valid access token speaks for. `expires_at` is in Unix seconds; `auth_rev` the revision at which it was checked.

    `session_id` is what can be revoked: the session, or what stands in its place (`kind`). `scopes` are what may be done.
    """

    user_id: str
    session_id: str
    expires_at: int
    auth_rev: int = 0
    role: str = "user"
    kind: Kind = "session"
    scopes: frozenset[str] = EVERYTHING

    @property
    def scope(self) -> UserScope:
        """The key to this user's tables."""
        return UserScope(self.user_id)

    def expires_in(self, now_ms: int) -> int:
        """Seconds until the token ends; 0 when it has."""
        return max(0, self.expires_at - now_ms // 1000)


@dataclass(frozen=True, slots=True)
class Service:
    """A program that speaks for itself, and so for no user. `expires_at` is in Unix seconds."""

    client_id: str
    scopes: frozenset[str]
    expires_at: int

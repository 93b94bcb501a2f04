"""Every operation over HTTP and every verb of the socket, a line each: whom it serves. What the server has and is not here is a failure.

`OPEN` needs no identity. `SELF` is about whoever asks. `OWNED` names something that belongs to one user; its path holds the name. `ADMIN` is
for administrators alone.
"""

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["ADMIN", "OWNED", "ROUTES", "VERBS", "Route"]


@dataclass(frozen=True)
class Route:
    """One operation. `path` is the template of the server's own description."""

    verb: str
    path: str
    whom: Literal["open", "self", "owned", "admin"]
    body: dict[str, Any] | None = None
    query: str = ""
    ends: bool = True  # False: a stream

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.verb} {self.path}{self.query}"

    def filled(self, ids: dict[str, str]) -> str:
        """The path with names in it."""
        return self.path.format(**{"provider": "nobody", **ids}) + self.query


_LATER = {"client_id": "c1", "text": "hello", "agent": "echo"}

ROUTES = (
    Route("POST", "/v1/auth/register", "open"),
    Route("POST", "/v1/auth/login", "open"),
    Route("POST", "/v1/auth/refresh", "open"),
    Route("POST", "/v1/auth/logout", "open"),  # what ends is the session of the refresh token in it
    Route("GET", "/.well-known/jwks.json", "open"),
    Route("POST", "/v1/auth/token", "open"),
    Route(
        "GET", "/v1/auth/oidc/{provider}/start", "open"
    ),  # what is begun belongs to the browser that keeps its cookie
    Route("GET", "/v1/auth/oidc/{provider}/callback", "open"),
    Route("POST", "/v1/auth/oidc/{provider}/link", "self"),
    Route("GET", "/v1/auth/identities", "self"),
    Route("DELETE", "/v1/auth/identities/{link_id}", "owned"),
    Route("GET", "/v1/auth/entrance", "open"),
    Route("POST", "/v1/auth/password/forgot", "open"),
    Route("POST", "/v1/auth/password/reset", "open"),  # whose password it is stands in the token of a letter
    Route("POST", "/v1/auth/email/verify", "open"),
    Route("GET", "/v1/auth/me", "self"),
    Route("PATCH", "/v1/auth/me", "self", {"name": "new"}),
    Route("POST", "/v1/auth/password", "self", {"current_password": "x" * 20, "new_password": "violet anchor 123456"}),
    Route("POST", "/v1/auth/email", "self", {"email": "new@example.com", "password": "x" * 20}),
    Route("GET", "/v1/auth/sessions", "self"),
    Route("DELETE", "/v1/auth/sessions", "self", query="?others=true"),
    Route("DELETE", "/v1/auth/sessions/{session_id}", "owned"),
    Route("GET", "/v1/auth/keys", "self"),
    Route("POST", "/v1/auth/keys", "self", {"name": "new", "password": "x" * 20}),
    Route("DELETE", "/v1/auth/keys/{key_id}", "owned"),
    Route("POST", "/v1/auth/login/factor", "open"),  # whose it is stands in the token of the first step
    Route("POST", "/v1/auth/login/passkey/options", "open"),
    Route("POST", "/v1/auth/login/passkey", "open"),
    Route("GET", "/v1/auth/factor", "self"),
    Route("POST", "/v1/auth/factor", "self", {"password": "x" * 20}),
    Route("POST", "/v1/auth/factor/confirm", "self", {"code": "000000"}),
    Route("POST", "/v1/auth/factor/recovery-codes", "self", {"password": "x" * 20}),
    Route("DELETE", "/v1/auth/factor", "self", {"password": "x" * 20}),
    Route("GET", "/v1/auth/passkeys", "self"),
    Route("POST", "/v1/auth/passkeys/options", "self", {"password": "x" * 20}),
    Route("POST", "/v1/auth/passkeys", "self", {"name": "new", "credential": {}}),
    Route("PATCH", "/v1/auth/passkeys/{passkey_id}", "owned", {"name": "mine now"}),
    Route("DELETE", "/v1/auth/passkeys/{passkey_id}", "owned"),
    Route("GET", "/v1/auth/activity", "self"),
    Route("GET", "/v1/auth/me/export", "self"),
    Route("DELETE", "/v1/auth/me", "self", {"password": "x" * 20}),
    Route("GET", "/v1/admin/users", "admin"),
    Route("GET", "/v1/admin/users/{user_id}", "admin"),
    Route("PATCH", "/v1/admin/users/{user_id}", "admin", {"role": "admin", "disabled": True}),
    Route("GET", "/v1/admin/users/{user_id}/sessions", "admin"),
    Route("DELETE", "/v1/admin/users/{user_id}/sessions", "admin"),
    Route("DELETE", "/v1/admin/users/{user_id}/sessions/{session_id}", "admin"),
    Route("GET", "/v1/admin/runs", "admin"),
    Route("POST", "/v1/admin/users/{user_id}/runs/{run_id}/cancel", "admin"),
    Route("GET", "/v1/admin/audit", "admin"),
    Route("GET", "/v1/admin/health", "admin"),
    Route("GET", "/v1/agents", "self"),
    Route("GET", "/v1/snapshot", "self"),
    Route("GET", "/v1/threads", "self"),
    Route("POST", "/v1/threads", "self", {"title": "new"}),
    Route("GET", "/v1/threads/{thread_id}", "owned"),
    Route("PATCH", "/v1/threads/{thread_id}", "owned", {"title": "mine now"}),
    Route("GET", "/v1/threads/{thread_id}/messages", "owned"),
    Route("POST", "/v1/threads/{thread_id}/messages", "owned", _LATER),
    Route("GET", "/v1/runs/{run_id}", "owned"),
    Route("GET", "/v1/runs/{run_id}/events", "owned"),
    Route("GET", "/v1/runs/{run_id}/events", "owned", query="?after=2"),
    Route("POST", "/v1/runs/{run_id}/cancel", "owned"),
    Route("POST", "/v1/attachments", "self"),
    Route("GET", "/v1/attachments/{attachment_id}", "owned"),
    Route("GET", "/v1/attachments/{attachment_id}/content", "owned"),
    Route("GET", "/v1/events", "self", ends=False),
    Route("DELETE", "/v1/threads/{thread_id}", "owned"),
)
OWNED = tuple(route for route in ROUTES if route.whom == "owned")
ADMIN = tuple(route for route in ROUTES if route.whom == "admin")

# A socket belongs to one user from its handshake on; what a verb may name beside that is in its fields. None: it names nothing.
VERBS: dict[str, dict[str, str] | None] = {
    "auth": None,  # a token of another user ends the socket: tests/behaviours
    "follow": None,  # a cursor of another user is answered by resync: tests/isolation/test_cursors.py
    "send": {"client_id": "c2", "text": "x", "thread_id": "{thread_id}"},
    "cancel": {"run_id": "{run_id}"},
    "ack": None,
    "ping": None,
}

"""What the routes of accounts answer, for the published description of the interface."""

from typing import Literal

from pydantic import BaseModel

__all__ = ["Entrance", "Keys", "PairView", "SessionView", "Sessions", "SignedInView", "UserView"]


class UserView(BaseModel):
    """A user, to themselves."""

    id: str
    email: str
    email_verified: bool
    name: str | None = None
    role: str
    created_at: str


class PairView(BaseModel):
    """A new pair. In the browser's mode the refresh token is in the cookie instead."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str | None = None


class SignedInView(PairView):
    """A new session."""

    user: UserView
    session_id: str


class SessionView(BaseModel):
    """A session of the user who asks."""

    id: str
    device: str | None = None
    created_at: str
    last_used_at: str
    current: bool


class Sessions(BaseModel):
    """All of them, the last used first."""

    items: list[SessionView]


class Entrance(BaseModel):
    """How one comes in at this server."""

    sign_up: Literal["open", "invite", "closed"]
    verify_email: bool
    letters: bool


class Keys(BaseModel):
    """The public keys (RFC 7517)."""

    keys: list[dict[str, str]]

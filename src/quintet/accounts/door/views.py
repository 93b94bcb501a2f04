"""What the routes of accounts answer, for the published description of the interface."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel

from quintet.accounts.audit import ACTIONS, Entry

__all__ = [
    "Activity",
    "Entrance",
    "Keys",
    "PairView",
    "ProviderView",
    "SessionView",
    "Sessions",
    "SignedInView",
    "UserView",
    "entries",
]


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
    device: str
    created_at: str
    last_used_at: str
    current: bool


class Sessions(BaseModel):
    """All of them, the last used first."""

    items: list[SessionView]


class ProviderView(BaseModel):
    """Somebody to sign in with: `name` is in the address `/v1/auth/oidc/{name}/start`, `title` for people."""

    name: str
    title: str


class Entrance(BaseModel):
    """How one comes in at this server."""

    sign_up: Literal["open", "invite", "closed"]
    verify_email: bool
    letters: bool
    providers: list[ProviderView]


class Keys(BaseModel):
    """The public keys (RFC 7517)."""

    keys: list[dict[str, str]]


class EntryView(BaseModel):
    """Something that happened to an account. `address` is where it came from; `detail` depends on the action; `subject` and `actor`, for
    administrators alone, are the addresses of who is still there."""

    id: int
    at: str
    action: str
    words: str
    subject_id: str | None = None
    actor_id: str | None = None
    subject: str | None = None
    actor: str | None = None
    by: str | None = None
    address: str | None = None
    detail: dict[str, Any] | None = None


class Activity(BaseModel):
    """The newest first; `next` is `before` of the next page."""

    items: list[EntryView]
    next: int | None = None


def entries(
    found: Sequence[Entry], limit: int, *, own: bool = False, people: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """A page of the audit, with the addresses of `people` by their ids. A user is not told which administrator it was."""
    page: dict[str, Any] = {"items": [{**entry.view(), "words": ACTIONS[entry.action]} for entry in found]}
    for item in page["items"]:
        for who in ("subject", "actor"):
            if (address := people.get(item.get(f"{who}_id", ""))) is not None:
                item[who] = address
    for item in page["items"] if own else ():
        if item.pop("actor_id", None) is not None:
            item["by"] = "administrator"
            item.pop("address", None)
    return {**page, "next": found[-1].id} if len(found) == limit else page

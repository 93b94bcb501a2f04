"""What the routes of administration take and give."""

from typing import Any, Literal

from pydantic import BaseModel

from quintet.accounts.door.forms import AnyText, Form
from quintet.accounts.door.views import UserView

__all__ = [
    "AdminChange",
    "AdminRun",
    "AdminRuns",
    "AdminSession",
    "AdminSessions",
    "AdminUser",
    "AdminUsers",
    "Cancelled",
]
__all__ += ["Vitals"]


class AdminChange(Form):
    """PATCH /v1/admin/users/{id}. A role takes the password of whoever gives it; who has none has signed in a moment ago."""

    role: Literal["user", "admin"] | None = None
    disabled: bool | None = None
    password: AnyText | None = None


class AdminUser(UserView):
    """A user, to an administrator."""

    disabled_at: str | None = None
    sessions: int
    last_used_at: str | None = None


class AdminUsers(BaseModel):
    """The newest account first; `next` is `after` of the next page."""

    items: list[AdminUser]
    next: str | None = None


class AdminSession(BaseModel):
    """A session of somebody."""

    id: str
    device: str
    created_at: str
    last_used_at: str


class AdminSessions(BaseModel):
    """Those that stand, the last used first."""

    items: list[AdminSession]


class AdminRun(BaseModel):
    """A run that is open. What it is about is nobody's business."""

    id: str
    user_id: str
    email: str
    agent: str
    state: str
    cancelled: bool
    created_at: str
    started_at: str | None = None


class AdminRuns(BaseModel):
    """The oldest first."""

    items: list[AdminRun]


class Cancelled(BaseModel):
    """The run, and its state when it was stopped."""

    run_id: str
    state: str


class Vitals(BaseModel):
    """How the server is: its checks, and figures of now."""

    checks: dict[str, str]
    figures: dict[str, Any]

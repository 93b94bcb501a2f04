"""What the routes of accounts take and give.

1. A field that is not named here is refused, so nobody registers with a role.
2. Secrets and addresses come through as they were written, lone surrogates too: their own rules refuse them by name.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, StringConstraints, WithJsonSchema

from quintet.edge.bodies import StrictJSONRoute

__all__ = [
    "Forgotten",
    "FormRoute",
    "Login",
    "Logout",
    "NewAddress",
    "NewPassword",
    "Profile",
    "Refresh",
    "Register",
    "Reset",
    "Verify",
]


def _any_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _encodable(value: str) -> str:
    value.encode("utf-8")  # a lone surrogate raises ValueError, as pydantic wants it
    return value


AnyText = Annotated[str, PlainValidator(_any_text), WithJsonSchema({"type": "string"})]

# No control characters, and none that turn the direction of what stands around a name.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
_Whole = AfterValidator(_encodable)
_Shown = StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_PRINTABLE)
ShownText = Annotated[str, _Shown, _Whole]
AttemptId = Annotated[str, Field(min_length=1, max_length=128), _Whole]


class FormRoute(StrictJSONRoute):
    """A route of these forms."""

    lone_surrogates = True


class Form(BaseModel):
    """What all of them have in common."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Register(Form):
    """POST /v1/auth/register."""

    email: AnyText
    password: AnyText
    name: ShownText | None = None
    device: ShownText | None = None
    invite: AnyText | None = None


class Login(Form):
    """POST /v1/auth/login."""

    email: AnyText
    password: AnyText
    device: ShownText | None = None


class Refresh(Form):
    """POST /v1/auth/refresh. Browsers send the token as a cookie."""

    refresh_token: AnyText | None = None
    attempt_id: AttemptId | None = None


class Logout(Form):
    """POST /v1/auth/logout."""

    refresh_token: AnyText | None = None


class Profile(Form):
    """PATCH /v1/auth/me."""

    name: ShownText | None = None


class NewPassword(Form):
    """POST /v1/auth/password."""

    current: AnyText
    new: AnyText


class Forgotten(Form):
    """POST /v1/auth/password/forgot."""

    email: AnyText


class Reset(Form):
    """POST /v1/auth/password/reset."""

    token: AnyText
    new: AnyText


class Verify(Form):
    """POST /v1/auth/email/verify."""

    token: AnyText


class NewAddress(Form):
    """POST /v1/auth/email. Who has no password has signed in a moment ago."""

    email: AnyText
    password: AnyText | None = None

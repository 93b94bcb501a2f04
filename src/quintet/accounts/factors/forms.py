"""What the routes of factors take and give."""

from typing import Any

from pydantic import BaseModel

from quintet.accounts.door.forms import AnyText, Form, ShownText

__all__ = [
    "Code",
    "CodeStep",
    "Confirming",
    "EnrolmentView",
    "FactorView",
    "NewPasskey",
    "Options",
    "PasskeyEntry",
    "PasskeyName",
    "PasskeyView",
    "Passkeys",
    "RecoveryCodes",
]


class Confirming(Form):
    """Whatever is confirmed by the password. An account without one leaves it out."""

    password: AnyText | None = None


class Code(Form):
    """POST /v1/auth/factor/confirm."""

    code: AnyText


class CodeStep(Form):
    """POST /v1/auth/login/factor."""

    pending_token: AnyText
    code: AnyText
    device: ShownText | None = None


class NewPasskey(Form):
    """POST /v1/auth/passkeys; `credential` is what the browser made (`PublicKeyCredential.toJSON`)."""

    name: ShownText
    credential: dict[str, Any]


class PasskeyName(Form):
    """PATCH /v1/auth/passkeys/{id}."""

    name: ShownText


class PasskeyEntry(Form):
    """POST /v1/auth/login/passkey."""

    credential: dict[str, Any]
    device: ShownText | None = None


class FactorView(BaseModel):
    """Whether a sign-in by password asks for a code."""

    on: bool
    since: str | None = None
    recovery_codes_left: int | None = None


class EnrolmentView(BaseModel):
    """For the authenticator: the secret in base 32, the address that holds it, and its picture, `1` for a dark square."""

    secret: str
    uri: str
    qr: list[str]


class RecoveryCodes(BaseModel):
    """Shown once."""

    recovery_codes: list[str]


class PasskeyView(BaseModel):
    """A passkey of the user who asks."""

    id: str
    name: str
    created_at: str
    used_at: str | None = None


class Passkeys(BaseModel):
    """All of them, the oldest first."""

    items: list[PasskeyView]


class Options(BaseModel):
    """The options for the browser (WebAuthn, 5.4 and 5.5, as JSON)."""

    publicKey: dict[str, Any]  # noqa: N815 - the name is the browser's

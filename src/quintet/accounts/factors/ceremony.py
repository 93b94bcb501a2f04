"""The two ceremonies of WebAuthn, as the library checks them. Everything here takes a thread: it is parsed, decoded and verified.

User verification is required both times: a passkey stands for a password and a second factor only if its holder was recognised.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from quintet.accounts.factors.relying import Page
from quintet.errors import QuintetError

__all__ = [
    "Answered",
    "Made",
    "challenge_in",
    "creation_options",
    "credential_in",
    "request_options",
    "verify",
    "verify_new",
]

TIMEOUT_MS = 300_000
_TRANSPORTS = ("usb", "nfc", "ble", "internal", "cable", "hybrid", "smart-card")


class Made(NamedTuple):
    """A new passkey as its authenticator made it."""

    credential: bytes
    public_key: bytes
    sign_count: int
    transports: str


class Answered(NamedTuple):
    """A verified answer: whose it says to be, and the authenticator's count."""

    sign_count: int


def creation_options(
    page: Page, product: str, user: tuple[str, str, str], challenge: bytes, known: Sequence[bytes]
) -> dict[str, Any]:
    """What a browser needs to make a passkey; `user` is the id, the address and the name that are shown."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=page.name,
        rp_name=product,
        user_id=user[0].encode(),
        user_name=user[1],
        user_display_name=user[2],
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=credential) for credential in known],
    )
    told: dict[str, Any] = json.loads(options_to_json(options))
    return told


def request_options(page: Page, challenge: bytes) -> dict[str, Any]:
    """What a browser needs to answer with any passkey of this server that its user picks."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=page.name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    told: dict[str, Any] = json.loads(options_to_json(options))
    return told


def challenge_in(credential: Mapping[str, Any]) -> bytes:
    """The challenge that an answer is to. Raises QuintetError `passkey_wrong`; nothing is verified yet."""
    from webauthn import base64url_to_bytes

    try:
        return base64url_to_bytes(json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))["challenge"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise QuintetError("passkey_wrong") from None


def credential_in(credential: Mapping[str, Any]) -> bytes:
    """The id of the passkey that answers. Raises QuintetError `passkey_wrong`."""
    from webauthn import base64url_to_bytes

    try:
        return base64url_to_bytes(credential["rawId"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise QuintetError("passkey_wrong") from None


def verify_new(page: Page, credential: dict[str, Any], challenge: bytes) -> Made:
    """The new passkey, when all of it is as it should be. Raises QuintetError `passkey_wrong`."""
    from webauthn import verify_registration_response

    try:
        found = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=page.name,
            expected_origin=page.origin,
            require_user_verification=True,
        )
        said = credential["response"].get("transports") or []
        transports = " ".join(word for word in _TRANSPORTS if word in said)
    except Exception:  # the decoders of the library raise whatever they like at what a stranger sends
        raise QuintetError("passkey_wrong") from None
    return Made(found.credential_id, found.credential_public_key, found.sign_count, transports)


def verify(page: Page, credential: dict[str, Any], challenge: bytes, public_key: bytes) -> Answered:
    """What an answer proves. Its count is not compared here: that needs a transaction. Raises QuintetError `passkey_wrong`."""
    from webauthn import verify_authentication_response

    try:
        found = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=page.name,
            expected_origin=page.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception:  # as above
        raise QuintetError("passkey_wrong") from None
    return Answered(found.new_sign_count)

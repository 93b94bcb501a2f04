"""Forms of OAuth (RFC 6749, appendix B): small, in UTF-8, each field once."""

import base64
import binascii
from urllib.parse import parse_qsl, unquote_plus

from fastapi import Request

from quintet.errors import QuintetError

__all__ = ["basic", "read_form"]

FORM_BYTES = 8 * 1024
FIELDS = 20


async def read_form(request: Request) -> dict[str, str]:
    """The fields of the body.

    Raises:
        QuintetError: `unsupported_media_type`, `too_long`; `invalid_request` for a field that comes twice or what is no form.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise QuintetError("unsupported_media_type", "Send a form (application/x-www-form-urlencoded).")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise QuintetError("too_long")
    try:
        pairs = parse_qsl(body.decode("utf-8"), max_num_fields=FIELDS, errors="strict")
    except ValueError:
        raise QuintetError("invalid_request") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise QuintetError("invalid_request")
    return fields


def basic(request: Request) -> tuple[str, str] | None:
    """Name and secret in the `Authorization` header (RFC 6749, 2.3.1). Raises QuintetError `invalid_client` for another scheme."""
    given = request.headers.getlist("authorization")
    if not given:
        return None
    scheme, _, text = given[0].partition(" ")
    try:
        name, colon, secret = base64.b64decode(text.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise QuintetError("invalid_client") from None
    if len(given) > 1 or scheme.lower() != "basic" or not colon:
        raise QuintetError("invalid_client")
    return unquote_plus(name), unquote_plus(secret)

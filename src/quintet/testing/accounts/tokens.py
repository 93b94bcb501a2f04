"""Access tokens that must open nothing, made from a good one by somebody without the signing key (RFC 8725, 2)."""

import base64
import hashlib
import hmac
import json
from typing import Any

__all__ = ["claims", "wrong_tokens"]


def claims(token: str) -> dict[str, Any]:
    """What a token says about itself, unverified. Raises `ValueError`: it is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("no JWT: three parts are expected")
    told = json.loads(_bytes(parts[1]))
    if not isinstance(told, dict):
        raise ValueError("no JWT: its middle is an object")
    return told


def wrong_tokens(good: str) -> dict[str, str]:
    """By the trick; each differs from `good` in one thing."""
    head, said, signature = good.split(".")
    header, body = json.loads(_bytes(head)), claims(good)
    mark = bytearray(_bytes(signature))
    mark[len(mark) // 2] ^= 1
    text = f"{_part({**header, 'alg': 'HS256'})}.{said}"
    return {
        "a wrong signature": f"{head}.{said}.{_text(bytes(mark))}",
        "no signature": f"{head}.{said}.",
        "half of it": good[: len(good) // 2],
        "another subject": f"{head}.{_part({**body, 'sub': 'usr_somebody_else'})}.{signature}",
        "a longer life": f"{head}.{_part({**body, 'exp': int(body.get('exp', 0)) + 86_400})}.{signature}",
        "no algorithm": f"{_part({**header, 'alg': 'none'})}.{said}.",
        "no algorithm, signature kept": f"{_part({**header, 'alg': 'none'})}.{said}.{signature}",
        "an algorithm of its own choice": f"{text}.{_text(hmac.digest(b'', text.encode(), hashlib.sha256))}",
        "an unknown key": f"{_part({**header, 'kid': 'theirs'})}.{said}.{signature}",
        "not a token": "not-a-token",
    }


def _part(value: Any) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

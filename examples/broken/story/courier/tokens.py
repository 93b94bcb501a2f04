"""Signed names."""

import hashlib
import hmac
import os

SECRET = os.environ["SECRET_KEY"].encode()


def sign(user: str) -> str:
    return f"{user}.{hmac.new(SECRET, user.encode(), hashlib.sha256).hexdigest()}"


def verify(token: str) -> str | None:
    user, _, _ = token.rpartition(".")
    return user if hmac.compare_digest(sign(user), token) else None

"""Answers that carry tokens: all in the body, or the refresh token in the browser's cookie."""

from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from quintet.accounts.door.browser import Browser
from quintet.accounts.sessions.entering import Pair, SignedIn

__all__ = ["Answers"]


class Answers:
    """Those of a server. `seconds` is the life of an access token."""

    def __init__(self, seconds: int, browser: Browser) -> None:
        self._seconds = seconds
        self._browser = browser

    def signed_in(self, request: Request, made: SignedIn, status: int, *, web: bool) -> Response:
        """A new session."""
        first = {"user": made.user.view(), "session_id": made.pair.session_id}
        return self.pair(request, made.pair, status, first, web=web)

    def pair(
        self, request: Request, pair: Pair, status: int = 200, first: dict[str, Any] | None = None, *, web: bool
    ) -> Response:
        """A new pair, after the keys of `first`."""
        told = {
            **(first or {}),
            "access_token": pair.access_token,
            "token_type": "Bearer",
            "expires_in": self._seconds,
        }
        if not web:
            return JSONResponse({**told, "refresh_token": pair.refresh_token}, status)
        response = JSONResponse(told, status)
        self._browser.keep(request, response, pair.refresh_token)
        return response

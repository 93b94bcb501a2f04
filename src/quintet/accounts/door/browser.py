"""The browser's mode: the refresh token in a cookie that no script can read.

1. Only a request with `X-Quintet-Client: web` sets or reads the cookie. Another site cannot send that header without asking first
   (CORS), and nobody answers.
2. What reads the cookie requires an allowed `Origin`, so no other page can spend it or sign anybody out.
3. `__Host-` binds the cookie to this host; cookies know no ports, so the name has it.
4. A refused refresh leaves the cookie: it may be the newer one of another tab.
"""

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from quintet.edge.origins import OriginPolicy
from quintet.errors import QuintetError

__all__ = ["Browser"]


class Browser:
    """The cookie's rules. `seconds` is how long the browser keeps it; `port` None is the one a request came to."""

    def __init__(self, policy: OriginPolicy, port: int | None, seconds: int) -> None:
        self._policy = policy
        self._port = port
        self._seconds = seconds

    def speaks(self, request: Request) -> bool:
        """Whether the request is in the browser's mode. Raises QuintetError `forbidden` for one of another page."""
        if request.headers.get("x-quintet-client") != "web":
            return False
        self._check_origin(request, required=False)
        return True

    def token(self, request: Request) -> str | None:
        """The refresh token in the cookie. Raises QuintetError `forbidden` without an allowed `Origin`."""
        self._check_origin(request, required=True)
        return request.cookies.get(self._name(request))

    def keep(self, request: Request, response: Response, token: str) -> None:
        """Set the cookie."""
        response.set_cookie(self._name(request), token, max_age=self._seconds, **_ATTRIBUTES)  # type: ignore[arg-type]

    def forget(self, request: Request, response: Response) -> None:
        """Delete the cookie."""
        response.set_cookie(self._name(request), "", max_age=0, **_ATTRIBUTES)  # type: ignore[arg-type]

    def _name(self, request: Request) -> str:
        server = request.scope.get("server")
        return f"__Host-quintet-{self._port or (server[1] if server else 0)}"

    def _check_origin(self, request: Request, *, required: bool) -> None:
        origins = request.headers.getlist("origin")
        if not origins and not required:
            return
        if len(origins) != 1 or not self._policy.allows(origins[0], request.headers.get("host", "")):
            raise QuintetError("forbidden", "This page may not do that.")


_ATTRIBUTES: Mapping[str, object] = {"path": "/", "secure": True, "httponly": True, "samesite": "strict"}

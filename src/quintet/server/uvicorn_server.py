"""uvicorn, told to leave signals and the end of things to us.

1. It re-raises SIGTERM after its shutdown, which would make the exit code 143: signals are handled by whoever owns the process.
2. `X-Forwarded-For` is not believed here, the access log prints query strings: both off.
3. The `ws` class takes every upgrade, whatever its path; the `http` class bounds the head of a request.
"""

import contextlib
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn

__all__ = ["HTTPServer"]

_KEEP_ALIVE = 65  # seconds an idle connection is kept: longer than the proxies in front usually keep theirs
_GRACE = 5  # seconds that answers under way have at the end


class HTTPServer(uvicorn.Server):
    """One uvicorn server on sockets that are already bound."""

    def __init__(self, app: Any, http: type[Any], websocket: type[Any] | None) -> None:
        config = uvicorn.Config(
            app,
            http=http,
            ws=websocket or "none",
            lifespan="off",
            loop="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
        )
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are not ours to handle."""
        yield

    def close_listeners(self, sockets: Sequence[socket.socket]) -> None:
        """Take no further connections; those that stand go on."""
        for server in getattr(self, "servers", ()):
            server.close()
        for bound in sockets:
            bound.close()

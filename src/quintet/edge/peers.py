"""The connection under a request: an answer that goes on for long has to see its peer, and to be rid of one that takes nothing."""

import asyncio

from starlette.types import Scope

__all__ = ["TRANSPORT", "transport_of"]

TRANSPORT = "quintet.transport"
"""The key of the connection among a request's ASGI extensions."""


def transport_of(scope: Scope) -> asyncio.Transport | None:
    """The connection; None where there is none, as in a test without a server."""
    found: asyncio.Transport | None = scope.get("extensions", {}).get(TRANSPORT)
    return found

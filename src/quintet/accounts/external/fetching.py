"""What we ask other servers: JSON, of bounded size and time, from addresses that the operator has set or their server has named.

1. No redirect is followed: whoever can make one could send us, or what we send, to an address inside our own network.
2. An address is https, or http on loopback, where a provider of a development runs.
3. Whatever goes wrong is one refusal; the reason is in the log, without what was sent or came.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from quintet.edge.bodies import parse
from quintet.errors import QuintetError

__all__ = ["fetch_json", "is_safe"]

SECONDS = 5.0
MOST_BYTES = 256 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

logger = logging.getLogger(__name__)


def is_safe(url: str) -> bool:
    """Whether it may be asked at all."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if "@" in parts.netloc or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


async def fetch_json(
    url: str, form: Mapping[str, str] | None = None, basic: tuple[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and object of a GET, or of a POST of `form`. Raises QuintetError `unavailable`."""
    if not is_safe(url):
        logger.warning("another server names an address that is not https")
        raise QuintetError("unavailable", retry_after=60)
    try:
        async with asyncio.timeout(SECONDS):
            return await _asked(url, form, basic)
    except (httpx.HTTPError, TimeoutError, QuintetError, ValueError) as failure:
        logger.warning("%s could not be asked (%s)", urlsplit(url).hostname, type(failure).__name__)
        raise QuintetError("unavailable", retry_after=10) from None


async def _asked(url: str, form: Mapping[str, str] | None, basic: tuple[str, str] | None) -> tuple[int, dict[str, Any]]:
    auth = httpx.BasicAuth(*basic) if basic else None
    verb, accept = ("GET" if form is None else "POST"), {"Accept": "application/json"}
    async with (
        httpx.AsyncClient(follow_redirects=False, timeout=SECONDS) as http,
        http.stream(verb, url, data=dict(form) if form is not None else None, auth=auth, headers=accept) as answer,
    ):
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise ValueError("too long")
    value = parse(bytes(body))
    if not isinstance(value, dict):
        raise ValueError("no object")
    return answer.status_code, value

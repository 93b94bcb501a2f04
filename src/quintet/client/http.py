"""HTTP calls: JSON both ways, a bound on time and size, and a refusal as the error that it names."""

import json
import os
import socket
import ssl
from typing import Any

import httpx

from quintet.client.address import Address
from quintet.client.faults import RefusedError, UnreachableError, WireError

__all__ = ["Http", "reason_of", "refusal_in"]

_SECONDS = 15.0
_MOST_BYTES = 32 * 1024 * 1024  # a page of 200 messages of 1 MiB each is not asked for by anybody
_PROBLEM = "application/problem+json"

_GOES_ON = frozenset({"pending_token", "expires_in"})  # members of a refusal that a client goes on with


class Http:
    """The HTTP side of one server. Knows no token of its own."""

    def __init__(self, address: Address) -> None:
        self.address = address
        timeout = httpx.Timeout(_SECONDS, connect=5.0)
        # The certificates of the machine, as for the socket; without TLS reading them would cost 70 ms of CPU for nothing.
        verify = ssl.create_default_context() if address.url.startswith("https:") else False
        self._client = httpx.AsyncClient(
            base_url=address.url, timeout=timeout, trust_env=not address.direct, verify=verify
        )

    async def call(self, method: str, path: str, *, body: Any = None, token: str | None = None, **query: Any) -> Any:
        """The JSON of a call, None where there is none.

        Raises:
            RefusedError: the server said no.
            UnreachableError: nobody answered, or not in time.
            WireError: what answered is no such server.
        """
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        params = {name: value for name, value in query.items() if value is not None}
        request = self._client.build_request(method, path, json=body, headers=headers, params=params)
        try:
            response = await self._client.send(request, stream=True)
            try:
                content = await _whole(response)
            finally:
                await response.aclose()
        except (httpx.TransportError, httpx.DecodingError) as fault:
            raise UnreachableError(_in_words(self.address, fault)) from fault
        return _answer(response, content)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


async def _whole(response: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > _MOST_BYTES:
            raise WireError(f"an answer is larger than {_MOST_BYTES} bytes")
    return bytes(content)


def _answer(response: httpx.Response, content: bytes) -> Any:
    if not response.is_success:
        kind = response.headers.get("content-type", "")
        raise refusal_in(response.status_code, kind, content, response.headers.get("retry-after"))
    try:
        return json.loads(content) if content else None
    except ValueError:
        raise WireError("the answer is not JSON; is this the address of a Quintet server?") from None


def refusal_in(status: int, kind: str, content: bytes, retry_after: str | None) -> RefusedError | WireError:
    """The refusal in an answer that is none of success (RFC 9457). A proxy in front may answer something else."""
    problem = None
    if kind.startswith(_PROBLEM):
        try:
            problem = json.loads(content)
        except ValueError:
            problem = None
    wait = int(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
    if isinstance(problem, dict) and isinstance(problem.get("code"), str):
        more = {name: value for name, value in problem.items() if name in _GOES_ON and isinstance(value, str | int)}
        detail = str(problem.get("detail") or "")
        return RefusedError(problem["code"], detail, retry_after=wait, status=status, more=more)
    if status in (502, 503, 504):
        return RefusedError("unavailable", retry_after=wait, status=status)
    return WireError(f"HTTP {status} without a Quintet server's words; is this the address of one?")


def _in_words(address: Address, fault: Exception) -> str:
    late = isinstance(fault, httpx.TimeoutException)
    why = "no answer in time" if late else reason_of(fault) or str(fault).strip() or type(fault).__name__
    return f"{address.url} does not answer ({why})"


def reason_of(fault: BaseException | None, depth: int = 0) -> str:
    """What the system said, below all that libraries have wrapped around it: `connection refused`."""
    if fault is None or depth > 8:
        return ""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted: {fault.verify_message}"
    if isinstance(fault, ssl.SSLError):
        return f"no TLS: {(fault.reason or str(fault)).replace('_', ' ').lower()}"
    if isinstance(fault, OSError) and fault.errno is not None and fault.errno > 0:
        return os.strerror(fault.errno).lower()
    if isinstance(fault, socket.gaierror):
        return "no such host"
    inside = list(fault.exceptions) if isinstance(fault, BaseExceptionGroup) else []
    around = [*inside, fault.__cause__, fault.__context__]
    return next((reason for one in around if (reason := reason_of(one, depth + 1))), "")

"""The upgrade request: what is refused over HTTP, what is upgraded, and what is upgraded only to be told why not. Pure.

1. uvicorn hands every path and method that asks for an upgrade to us, so 404 and 405 are ours.
2. A page of another origin is refused before anything of its request counts; a browser cannot lie about its `Origin`. Nor about
   the name it called us by: the `Host` is judged as for every other request.
3. A browser cannot read the answer to a refused upgrade. What it must understand, it gets as a close code after the upgrade.
"""

import base64
import binascii
from typing import NamedTuple
from urllib.parse import urlsplit

from quintet.delivery.config import GatewayConfig
from quintet.delivery.credentials import choose, offered_in, token_in
from quintet.edge.origins import UNKNOWN_HOST, OriginPolicy
from quintet.edge.problems import problem
from quintet.errors import QuintetError

__all__ = ["MalformedUpgradeError", "Request", "Upgrade", "answer", "decide", "read_request"]


class MalformedUpgradeError(QuintetError):
    """No valid opening handshake (RFC 6455, section 4.2.1)."""

    status = 400

    def __init__(self, message: str) -> None:
        super().__init__("bad_message", message)


class Request(NamedTuple):
    """A request's head. Names of headers are in lower case."""

    method: str
    target: str
    headers: list[tuple[bytes, bytes]]

    def all(self, name: bytes) -> list[str]:
        """Every value of a header."""
        return [value.decode("latin-1").strip() for key, value in self.headers if key == name]


class Upgrade(NamedTuple):
    """A request that is answered with 101, perhaps only after its token was looked at.

    `doomed` is the reason of the close that follows at once; `token` None when no credential came.
    """

    key: str
    subprotocol: str | None
    token: str | None
    browser: bool
    doomed: str | None = None


def read_request(head: bytes) -> Request:
    """The head that uvicorn has parsed and written out again."""
    first, *lines = head.rstrip(b"\r\n").split(b"\r\n")
    method, _, rest = first.decode("latin-1").partition(" ")
    pairs = (line.partition(b":") for line in lines)
    return Request(method, rest.rpartition(" ")[0], [(name.lower(), value.strip()) for name, _, value in pairs])


def decide(request: Request, config: GatewayConfig, origins: OriginPolicy) -> Upgrade:
    """What becomes of the request.

    Raises:
        QuintetError: it is answered over HTTP, with the status of the code.
    """
    if sum(len(name) + len(value) + 4 for name, value in request.headers) > config.head_bytes:
        raise QuintetError("headers_too_large")
    hosts = request.all(b"host")
    if len(hosts) != 1 or not origins.allows_host(hosts[0]):
        raise QuintetError("forbidden", UNKNOWN_HOST)
    target = urlsplit(request.target) if "#" not in request.target else urlsplit("")
    if target.path != config.path:
        raise QuintetError("not_found")
    if request.method != "GET":
        raise QuintetError("method_not_allowed")
    browser = _comes_from_browser(request, hosts[0], origins)
    if token_in(target.query):
        raise QuintetError("token_in_url")
    key = _key_of(request)
    choice = choose(offered_in(request.all(b"sec-websocket-protocol")), request.all(b"authorization"))
    if choice.supported:
        return Upgrade(key, choice.subprotocol, choice.token, browser)
    if not browser:
        raise QuintetError("unsupported_version")
    return Upgrade(key, choice.subprotocol, None, browser, doomed="unsupported_version")


def _comes_from_browser(request: Request, host: str, origins: OriginPolicy) -> bool:
    given = request.all(b"origin")
    if not given:
        return False
    if len(given) > 1 or not origins.allows(given[0], host):
        raise QuintetError("forbidden", "Pages of this origin may not connect.")
    return True


def _key_of(request: Request) -> str:
    if request.all(b"sec-websocket-version") != ["13"]:
        raise QuintetError("unsupported_version", "Send Sec-WebSocket-Version: 13.")
    keys = request.all(b"sec-websocket-key")
    try:
        valid = len(keys) == 1 and len(base64.b64decode(keys[0], validate=True)) == 16
    except (binascii.Error, ValueError):
        valid = False
    if not valid:
        raise MalformedUpgradeError("The header Sec-WebSocket-Key is missing or wrong.")
    if request.all(b"content-length") not in ([], ["0"]) or request.all(b"transfer-encoding"):
        raise MalformedUpgradeError("An upgrade request has no body.")
    return keys[0]


def answer(refusal: QuintetError, request_id: str) -> bytes:
    """The whole HTTP answer for a refused upgrade; the connection closes behind it."""
    allow = "GET" if refusal.code == "method_not_allowed" else None
    response = problem(refusal, request_id, allow=allow)
    lines = [b"HTTP/1.1 %d %s" % (response.status_code, refusal.code.encode())]
    lines += [name + b": " + value for name, value in response.raw_headers]
    lines += [b"x-request-id: " + request_id.encode(), b"cache-control: no-store", b"connection: close"]
    if refusal.code == "unsupported_version":
        lines.append(b"sec-websocket-version: 13")
    return b"\r\n".join([*lines, b"", bytes(response.body)])

"""One server, asked over real connections. Nothing raises: what does not come back is an answer too.

1. Only the given address is spoken to; a redirect is an answer and is not followed.
2. Every wait has a bound, every answer too. The only body that is sent is announced and never sent.
"""

import json
import socket
import ssl
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

__all__ = ["Answer", "Server", "Socket"]

_BYTES = 1 << 20
_UPLOAD = 5_000_000  # QUINTET_ATTACHMENT_BYTES, as it is when nobody sets it


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: none came, and `why` says so. Names of headers are lower case; `at` is our time when it came, Unix seconds."""

    asked: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    why: str = ""
    at: float = 0.0

    @property
    def data(self) -> dict[str, Any]:
        """The body as a JSON object, or nothing."""
        try:
            told = json.loads(self.body)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}

    @property
    def ours(self) -> bool:
        """A refusal in Quintet's own form."""
        return "code" in self.data and "problem+json" in self.headers.get("content-type", "")

    @property
    def skew(self) -> float | None:
        """Seconds by which its clock is ahead of ours, if it tells the time."""
        try:
            return parsedate_to_datetime(self.headers["date"]).timestamp() - self.at
        except (KeyError, ValueError):
            return None

    def __str__(self) -> str:
        return f"{self.asked} → {self.why or self.status}" + (f" {self.data['code']}" if self.ours else "")


@dataclass(frozen=True, slots=True)
class Socket:
    """An upgrade: `status` 101, and how the socket was then `closed`; or what was answered instead."""

    asked: str
    status: int = 0
    closed: int = 0
    why: str = ""
    ours: bool = False

    def __str__(self) -> str:
        return f"{self.asked} → {self.why or self.status}" + (f", closed with {self.closed}" if self.closed else "")


class Server:
    """The server at an address of scheme, host and port. `seconds` bounds each step."""

    def __init__(self, url: str, seconds: float, token: str = "") -> None:
        self._url: SplitResult = urlsplit(url)
        self._seconds = seconds
        self._token = token
        self.secure = self._url.scheme == "https"
        self.host = self._url.hostname or ""

    @property
    def origin(self) -> str:
        """The origin of the page that is opened at this address."""
        return f"{self._url.scheme}://{self._url.netloc}"

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """One request on a connection of its own."""
        asked = f"{method} {path}"
        connection = self._connection()
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            return self._read(connection, asked)
        except (OSError, HTTPException, ValueError) as fault:
            return Answer(asked, why=_words(fault))
        finally:
            connection.close()

    def announce(self, path: str) -> Answer:
        """A POST whose body is announced and never sent: what is too large is refused by the announcement."""
        asked = f"POST {path} of {_UPLOAD:,} bytes"
        connection = self._connection()
        try:
            connection.putrequest("POST", path)
            connection.putheader("Content-Type", "application/octet-stream")
            connection.putheader("Content-Length", str(_UPLOAD))
            connection.endheaders()
            return self._read(connection, asked)
        except (OSError, HTTPException, ValueError) as fault:
            return Answer(asked, why=_words(fault))
        finally:
            connection.close()

    def stream(self, path: str) -> Answer:
        """A stream of events with the token; its first bytes are its body."""
        asked = f"GET {path}"
        connection = self._connection()
        try:
            connection.request(
                "GET", path, headers={"Authorization": f"Bearer {self._token}", "Accept": "text/event-stream"}
            )
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(asked, answer.status, headers, answer.read1(4096), at=time.time())
        except (OSError, HTTPException, ValueError) as fault:
            return Answer(asked, why=_words(fault))
        finally:
            connection.close()

    def upgrade(self, origin: str = "", frame: str = "") -> Socket:
        """A WebSocket. With a `frame` it is sent, and the server's closing is waited for."""
        asked = "WebSocket /v1/ws" + (f" from {origin}" if origin else "")
        scheme = "wss" if self.secure else "ws"
        try:
            with connect(
                f"{scheme}://{self._url.netloc}/v1/ws",
                origin=Origin(origin) if origin else None,
                subprotocols=[Subprotocol("quintet.v1")],
                open_timeout=self._seconds,
                close_timeout=1,
                compression=None,
                proxy=None,
                max_size=_BYTES,
            ) as opened:
                return self._closing(asked, opened, frame) if frame else Socket(asked, 101)
        except InvalidStatus as refused:
            kind = refused.response.headers.get("content-type", "")
            return Socket(asked, refused.response.status_code, ours="problem+json" in kind)
        except (OSError, InvalidHandshake, ConnectionClosed, ValueError) as fault:
            return Socket(asked, why=_words(fault))

    def _closing(self, asked: str, opened: Any, frame: str) -> Socket:
        end = time.monotonic() + self._seconds
        try:
            opened.send(frame)
            while (left := end - time.monotonic()) > 0:
                opened.recv(timeout=left)
        except ConnectionClosed as closed:
            return Socket(asked, 101, closed.rcvd.code if closed.rcvd else 1006)
        except TimeoutError:
            pass
        return Socket(asked, 101, why="no answer to a frame")

    def certificate_days(self) -> float | None:
        """For how many days the certificate is still good."""
        try:
            with (
                socket.create_connection((self.host, self._url.port or 443), self._seconds) as plain,
                ssl.create_default_context().wrap_socket(plain, server_hostname=self.host) as secured,
            ):
                told = secured.getpeercert() or {}
            return (ssl.cert_time_to_seconds(str(told["notAfter"])) - time.time()) / 86_400
        except (OSError, KeyError, ValueError):
            return None

    def _connection(self) -> HTTPConnection:
        kind = HTTPSConnection if self.secure else HTTPConnection
        return kind(self.host, self._url.port, timeout=self._seconds)

    def _read(self, connection: HTTPConnection, asked: str) -> Answer:
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(asked, answer.status, headers, answer.read(_BYTES), at=time.time())


def _words(fault: Exception) -> str:
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    return str(fault) or type(fault).__name__

"""The smallest pooler that lends: one connection to PostgreSQL for everybody, given to a client for one transaction."""

import socket
import socketserver
import struct
import threading
from typing import Any

from psycopg import pq

__all__ = ["Pooler"]

_ASKS_FIRST = {80877103, 80877104}  # for TLS, for GSSAPI
_TOLD = (b"server_version", b"client_encoding", b"standard_conforming_strings", b"integer_datetimes", b"TimeZone")
_SECONDS = 20.0


class _Client(socketserver.BaseRequestHandler):
    server: "Pooler"

    def handle(self) -> None:
        """Greet as if all were well, then pass on from the first word of a transaction to the end of it."""
        self.request.settimeout(_SECONDS)
        try:
            self._greet()
            while self._one_transaction():
                pass
        except (OSError, EOFError):
            return

    def _greet(self) -> None:
        while True:
            (length,) = struct.unpack("!I", _exactly(self.request, 4))
            (code,) = struct.unpack("!I", _exactly(self.request, length - 4)[:4])
            if code not in _ASKS_FIRST:
                break
            self.request.sendall(b"N")
        told = [(name, self.server.far.parameter_status(name) or b"") for name in _TOLD]
        self.request.sendall(
            _message(b"R", struct.pack("!I", 0))
            + b"".join(_message(b"S", name + b"\0" + value + b"\0") for name, value in told)
            + _message(b"K", struct.pack("!II", 1, 1))  # a process number of our own
            + _message(b"Z", b"I")
        )

    def _one_transaction(self) -> bool:
        kind, asked = _read(self.request)
        if kind == b"X":
            return False
        with self.server.lent:
            while True:
                self.server.link.sendall(asked)
                if kind in {b"Q", b"S"} and self._answered():
                    return True
                kind, asked = _read(self.request)

    def _answered(self) -> bool:
        """Pass on the answer; True when no transaction is open after it."""
        while True:
            kind, told = _read(self.server.link)
            self.request.sendall(told)
            if kind == b"Z":
                return told.endswith(b"I")


class Pooler(socketserver.ThreadingTCPServer):
    """Before the database at `url`. Its own address in the same form is `url`."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.far = pq.PGconn.connect(url.encode())
        assert self.far.status == pq.ConnStatus.OK, self.far.get_error_message()
        self.link = socket.socket(fileno=self.far.socket)
        self.link.settimeout(_SECONDS)
        self.lent = threading.Lock()
        place, _, name = url.rpartition("@")[2].partition("/")
        assert place
        self.url = f"postgresql://anybody@127.0.0.1:{self.server_address[1]}/{name}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __exit__(self, *_: Any) -> None:
        self.shutdown()
        self._thread.join(_SECONDS)
        self.server_close()
        self.link.detach()
        self.far.finish()


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _read(link: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(link, 5)
    return head[:1], head + _exactly(link, struct.unpack("!I", head[1:])[0] - 4)


def _exactly(link: socket.socket, size: int) -> bytes:
    held = bytearray()
    while len(held) < size:
        more = link.recv(size - len(held))
        if not more:
            raise EOFError
        held += more
    return bytes(held)

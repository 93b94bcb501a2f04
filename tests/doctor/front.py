"""A proxy in front of a real server, wrong in one way: HTTP/1.1 on loopback, a connection passed on byte by byte but for its fault."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

__all__ = ["Front"]

Change = Callable[[bytes], bytes]
_SECONDS = 8.0


class Front:
    """Entered, it listens. `request` and `answer` change the head that goes through; `refuse` answers instead; `hold` keeps bodies back of
    answers whose head holds it, and of upgraded connections if it is `101`."""

    def __init__(
        self,
        target: int,
        *,
        request: Change = bytes,
        answer: Change = bytes,
        refuse: Callable[[bytes], bytes | None] = lambda _: None,
        hold: bytes = b"",
    ) -> None:
        self._target, self._request, self._answer, self._refuse, self._hold = target, request, answer, refuse, hold
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://localhost:{self._socket.getsockname()[1]}"
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_SECONDS)

    def _start(self, work: Callable[..., None], *given: object) -> None:
        thread = threading.Thread(target=work, args=given)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        self._socket.settimeout(0.1)
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._socket.accept()
                self._start(self._serve, client)
        self._socket.close()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(_SECONDS)
            self._open.append(client)
            head, rest = _head(client)
            if (refusal := self._refuse(head)) is not None:
                client.sendall(refusal)
                return
            with socket.create_connection(("127.0.0.1", self._target), _SECONDS) as server:
                self._open.append(server)
                server.sendall(_once(self._request(head)) + rest)
                back, rest = _head(server)
                client.sendall(self._answer(back))
                if self._hold and self._hold in back:
                    self._ended.wait(_SECONDS)
                    return
                client.sendall(rest)
                if b" 101 " in back.split(b"\r\n")[0]:
                    self._start(_pass_on, client, server)
                _pass_on(server, client)


def _head(side: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += side.recv(65_536) or b"\r\n\r\n"
    head, _, rest = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def _once(head: bytes) -> bytes:
    """One request a connection, so that its end is the end of the answer; an upgrade keeps its header."""
    if re.search(rb"(?i)\r\nconnection: upgrade", head):
        return head
    return re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head).removesuffix(b"\r\n\r\n") + b"\r\nConnection: close\r\n\r\n"


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)

"""A plain server of bytes to stand behind the proxy."""

import socketserver
import threading
from collections.abc import Iterator

import pytest


class Echo(socketserver.StreamRequestHandler):
    """Sends back what comes. At the end of what comes it says so."""

    def handle(self) -> None:
        """Until the other side ends."""
        try:
            while data := self.request.recv(65_536):
                self.request.sendall(data)
            self.request.sendall(b"<end>")
        except OSError:
            pass


class Threads(socketserver.ThreadingTCPServer):
    """One thread a connection; none of them keeps the process alive."""

    daemon_threads = True
    block_on_close = False


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of an echo server."""
    with Threads(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(5)

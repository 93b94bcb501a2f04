"""Takes connections of this process to servers on this machine through the relay, however a test came by the address.

An address stands in fixtures, in the environment, in constants of modules that were imported long before: none of them is changed. What is
changed is `socket.connect`, so clients see the very host and port that they know. What connects outside Python's sockets (uvloop,
libpq, other processes) is not taken along; the kit's own connections always are.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

from quintet.testing.sabotage.relay import Relay

__all__ = ["Interception"]

LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 - to connect to, not to listen on
SECONDS = 5.0  # for a server on this machine to accept


class Interception:
    """Between `start` and `stop`. `spared` tells ports that are left alone: databases, the kit's own proxies."""

    def __init__(self, relay: Relay, spared: Callable[[], set[int]]) -> None:
        self._relay = relay
        self._spared = spared
        self._connect = socket.socket.connect
        self._connect_ex = socket.socket.connect_ex

    def start(self) -> None:
        """From now on."""
        us = self

        def connect(self: socket.socket, address: Any) -> None:
            us._connect(self, us._instead(self, address))

        def connect_ex(self: socket.socket, address: Any) -> int:
            try:
                instead = us._instead(self, address)
            except OSError as fault:
                return fault.errno or 1
            return us._connect_ex(self, instead)

        setattr(socket.socket, "connect", connect)  # noqa: B010 - a method of a class of the standard library
        setattr(socket.socket, "connect_ex", connect_ex)  # noqa: B010

    def stop(self) -> None:
        """As it was."""
        setattr(socket.socket, "connect", self._connect)  # noqa: B010
        setattr(socket.socket, "connect_ex", self._connect_ex)  # noqa: B010

    def _instead(self, plug: socket.socket, address: Any) -> Any:
        """Where to connect. Raises what a connection to `address` would raise."""
        if not self._ours(plug, address):
            return address
        server = socket.socket(plug.family, socket.SOCK_STREAM)
        buffer = plug.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        try:
            if buffer < server.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF):  # a client that wants to be slow
                server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer // 2)  # the system doubles it
            server.settimeout(SECONDS)
            self._connect(server, address)
            server.setblocking(False)
            place = server.getpeername()
            host, port = self._relay.expect((place[0], place[1]), server)
        except BaseException:
            server.close()
            raise
        return (host, port, *place[2:])

    def _ours(self, plug: socket.socket, address: Any) -> bool:
        if self._relay.loop.inside or plug.family not in {socket.AF_INET, socket.AF_INET6}:
            return False
        if not plug.type & socket.SOCK_STREAM or not isinstance(address, tuple) or address[0] not in LOOPBACK:
            return False
        return address[1] not in self._relay.ports and address[1] not in self._spared() and os.getpid() == self._pid

    _pid = os.getpid()  # a forked child has no relay thread

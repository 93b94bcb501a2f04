"""The sockets a server listens on.

`localhost` means both loopback families: a browser may try either first. With port 0 the IPv6 socket takes the port that the
IPv4 one was given.
"""

import errno
import socket
from typing import Literal

from quintet.settings import StartError

__all__ = ["LOOPBACK", "address", "listen", "reserve"]

How = Literal["alone", "shared", "reserved"]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
BACKLOG = 2048
_ATTEMPTS = 20


def address(host: str, port: int) -> str:
    """The address to open; loopback is called `localhost`."""
    return f"http://{'localhost' if host in LOOPBACK else f'[{host}]' if ':' in host else host}:{port}"


def listen(host: str, port: int, *, shared: bool = False) -> tuple[list[socket.socket], int]:
    """Bind and listen; returns the sockets and the port. `shared`: with others that `reserve` has let in.

    Raises:
        StartError: the port is taken, or the address is not of this machine.
    """
    return _attempted(host, port, "shared" if shared else "alone")


def reserve(host: str, port: int) -> tuple[list[socket.socket], int]:
    """Hold a port for several processes that listen on it, without listening; returns the sockets and the port.

    Raises:
        StartError: likewise. Nobody else may have it, also not one that would share it.
    """
    alone, port = _attempted(host, port, "alone")
    for bound in alone:
        bound.close()
    return _attempted(host, port, "reserved")


def _attempted(host: str, port: int, how: How) -> tuple[list[socket.socket], int]:
    for _ in range(_ATTEMPTS):
        try:
            return _bound(host, port, how)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and port == 0:
                continue  # the free port of one family was not free in the other
            raise _refusal(error, port) from error
    raise StartError("No port is free", "End some other programs, or name a port with --port.")


def _bound(host: str, port: int, how: How) -> tuple[list[socket.socket], int]:
    if host != "localhost":
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = _bind(family, host, port, how)
        return [bound], int(bound.getsockname()[1])
    first = _bind(socket.AF_INET, "127.0.0.1", port, how)
    port = int(first.getsockname()[1])
    try:
        return [first, _bind(socket.AF_INET6, "::1", port, how)], port
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return [first], port  # a machine without IPv6
        first.close()
        raise


def _bind(family: int, host: str, port: int, how: How) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if how != "alone":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        if how != "reserved":
            bound.listen(BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def _refusal(error: OSError, port: int) -> StartError:
    if error.errno == errno.EADDRINUSE:
        return StartError(f"Port {port} is taken", "End the program that uses it, or choose another with --port.")
    if error.errno == errno.EACCES:
        return StartError(f"Port {port} may not be used by this user", "Choose a port above 1023 with --port.")
    return StartError("The address to listen on is not one of this machine", "Look at --host and QUINTET_HOST.")

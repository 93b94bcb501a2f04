"""Ports that nobody else has: a bound socket where the service can take one over, else a free number.

A free number can be taken by another before the service binds it. It is not tried again in this process, and whoever uses one
starts anew with another when the service says that its address is in use.
"""

import re
import socket
import threading

__all__ = ["BACKLOG", "HOST", "TRIES", "bound", "free", "taken"]

HOST = "127.0.0.1"
TRIES = 5
BACKLOG = 512
_TAKEN = re.compile(
    r"address (is )?already in use|EADDRINUSE|could not bind|only one usage of each socket", re.IGNORECASE
)
_given: set[int] = set()  # at most the ports there are
_lock = threading.Lock()


def free() -> int:
    """A port that is free now, and that was not given to another service of this process."""
    with _lock:
        held: list[socket.socket] = []
        try:
            while True:
                plug = socket.socket()
                held.append(plug)
                plug.bind((HOST, 0))
                port: int = plug.getsockname()[1]
                if port not in _given or len(held) > TRIES:
                    _given.add(port)
                    return port
        finally:
            for plug in held:
                plug.close()


def bound() -> socket.socket:
    """A socket that listens on a port of its own, to hand to a service."""
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for left in reversed(range(TRIES)):
        try:
            plug.bind(
                (HOST, free())
            )  # by its number: one that the system picks is lost when the socket stops listening
            plug.listen(BACKLOG)
        except OSError:
            if left == 0:
                plug.close()
                raise
        else:
            break
    return plug


def taken(log: str) -> bool:
    """Whether a service's log says that somebody else has its address."""
    return bool(_TAKEN.search(log))

"""The open sockets of this process, with their peers, whoever opened them: Python, a C library, another event loop.

Each is looked at through a duplicate of its descriptor, so the original is not touched. Where the system does not list descriptors, the
garbage collector's socket objects are all there is.
"""

import gc
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

__all__ = ["connections"]

_MOST: Final = 40
_LISTS: Final = (Path("/proc/self/fd"), Path("/dev/fd"))


def connections(known: Mapping[int, str]) -> list[str]:
    """One line for each; `known` names the services behind ports."""
    return sorted(set(_lines(known)))[:_MOST]


def _lines(known: Mapping[int, str]) -> Iterator[str]:
    for one in _sockets():
        try:
            if one.family in {socket.AF_INET, socket.AF_INET6}:
                yield _line(one, known)
        except OSError:
            continue
        finally:
            one.close()


def _sockets() -> Iterator[socket.socket]:
    folder = next((one for one in _LISTS if one.is_dir()), None)
    if folder is None:
        found = [one.fileno() for one in gc.get_objects() if issubclass(type(one), socket.socket) and one.fileno() >= 0]
    else:
        found = [int(entry.name) for entry in folder.iterdir() if entry.name.isdigit()]
    for descriptor in found:
        with suppress(OSError):
            copy = os.dup(descriptor)
            try:
                yield socket.socket(fileno=copy)
            except OSError:  # not a socket
                os.close(copy)


def _line(one: socket.socket, known: Mapping[int, str]) -> str:
    kind = "tcp" if one.type == socket.SOCK_STREAM else "udp"
    here = _address(one.getsockname())
    try:
        peer = one.getpeername()
    except OSError:
        listens = one.type == socket.SOCK_STREAM and bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        return f"{kind} {here} {'listens' if listens else 'not connected'}"
    name = known.get(peer[1])
    return f"{kind} {here} -> {_address(peer)}{f' ({name})' if name else ''}"


def _address(given: Any) -> str:
    return f"[{given[0]}]:{given[1]}" if ":" in given[0] else f"{given[0]}:{given[1]}"

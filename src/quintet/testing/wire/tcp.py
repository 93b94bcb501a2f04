"""Ends of a TCP connection that a polite library does not offer."""

import asyncio
import contextlib
import socket
import struct

__all__ = ["reset"]


def reset(writer: asyncio.StreamWriter) -> None:
    """Leave without a word: the peer reads a reset."""
    if writer.is_closing():
        return  # the number of its socket may be another's by now
    plug = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

"""What of a connection its peer has not taken yet: the transport's bytes, and those the kernel has not seen acknowledged.

The transport alone moves in steps of tens of kilobytes (`TCP_NOTSENT_LOWAT`): by it a phone on a thin line would seem to stand still.
"""

import contextlib
import struct
import sys
from typing import Any

__all__ = ["backlog_of"]


def backlog_of(transport: Any) -> int:
    """In bytes. Where the kernel cannot be asked, the transport's alone."""
    kept = int(transport.get_write_buffer_size())
    plug = transport.get_extra_info("socket")
    if plug is not None and sys.platform == "linux":
        import fcntl
        import termios

        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            kept += struct.unpack("i", fcntl.ioctl(plug.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
    return kept

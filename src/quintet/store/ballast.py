"""Room on the disk that is kept for endings and deletions.

1. A file beside the database holds the room. It is given up when the database finds none, and taken back when there is room again.
2. While it is given up, what only grows is refused (`Tx.grow`); what ends, stops or deletes is written into the room.
3. Its blocks are really taken: a sparse file would hold nothing.
"""

import contextlib
import errno
import logging
import os
from pathlib import Path

__all__ = ["Ballast"]

log = logging.getLogger(__name__)

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_CHUNK = 1 << 20


class Ballast:
    """`size` bytes at `path`; none with a size of 0. Belongs to the committing thread."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self.held = False

    def take(self, *, again: bool = False) -> bool:
        """Hold the room; False while the disk has none. `again`: only when as much is left beside it, or the next message gives it up.

        A file system that cannot hold room for us is no reason to refuse anything: the answer is True then.
        """
        if self._size == 0 or self._whole():
            self.held = self._size > 0
            return True
        try:
            if again and _free(self._path.parent) < 2 * self._size:
                return False
            self._make()
        except OSError as error:
            self._remove()
            if error.errno in _NO_ROOM:
                return False
            log.warning("no room can be reserved beside the database: %s", error.strerror)
            return True
        self.held = True
        return True

    def give_up(self) -> bool:
        """Give the room to whoever writes next; False when it is gone already."""
        held, self.held = self.held, False
        self._remove()
        return held

    def _whole(self) -> bool:
        try:
            there = self._path.stat()
        except OSError:
            return False
        return there.st_size == self._size and there.st_blocks * 512 >= self._size

    def _make(self) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, self._size)
            else:
                _write(handle, self._size)
        finally:
            os.close(handle)

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _free(folder: Path) -> int:
    told = os.statvfs(folder)
    return told.f_bavail * told.f_frsize


def _write(handle: int, size: int) -> None:
    """Where blocks cannot be asked for. Random: a file system that compresses would keep nothing of zeros."""
    for start in range(0, size, _CHUNK):
        os.write(handle, os.urandom(min(_CHUNK, size - start)))
    os.fsync(handle)

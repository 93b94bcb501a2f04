"""Disks that can be filled: a small one that is mounted, and, for those who may not mount, a database that may have no more pages."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from faults.climate import Climate
from support.server import Server

__all__ = ["DISKS", "Disk", "mountable"]

MOUNTED_BYTES = 48 << 20
RESERVED_BYTES = 8 << 20
PAGES_LEFT = 8


class Disk(Protocol):
    """The disk under one server's data."""

    def fill(self) -> None:
        """No room is left on it."""

    def empty(self) -> None:
        """There is room again."""


class Mounted:
    """A file system of its own, in memory."""

    def __init__(self, server: Server) -> None:
        self._waste = server.data / "waste"

    def fill(self) -> None:
        """See `Disk`. To the last block, with a file that is somebody else's."""
        handle = os.open(self._waste, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while True:
                        os.write(handle, bytes(size))
            with contextlib.suppress(OSError):
                os.write(handle, b"x")
                raise AssertionError("the disk is not full")
        finally:
            os.close(handle)

    def empty(self) -> None:
        """See `Disk`."""
        self._waste.unlink()


class Pages:
    """SQLite's own limit, set in the server's process. The ballast stands for as many pages."""

    def __init__(self, climate: Climate) -> None:
        self._climate = climate

    def fill(self) -> None:
        """See `Disk`."""
        self._climate.set(full=PAGES_LEFT)

    def empty(self) -> None:
        """See `Disk`."""
        self._climate.clear()


def mountable() -> bool:
    """Whether this process may mount (CAP_SYS_ADMIN, capability 21)."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    held = next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
    return bool(held >> 21 & 1)


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """A small disk at this folder, as long as inside."""
    line = ["mount", "-t", "tmpfs", "-o", f"size={MOUNTED_BYTES},mode=700", "tmpfs", str(folder)]
    subprocess.run(line, check=True, timeout=20)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=20)


DISKS = ("pages", "mounted") if mountable() else ("pages",)

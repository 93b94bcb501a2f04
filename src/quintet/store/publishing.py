"""A finished file gets its name: durable, at once, and over nobody else's."""

import contextlib
import os
from pathlib import Path

__all__ = ["publish"]


def publish(draft: Path, file: Path, *, replace: bool = False) -> None:
    """Give `draft` the name `file`, synced with its folder. The draft's own name may be left; remove it.

    Raises:
        FileExistsError: the name is taken, also where it has come to be since somebody looked, and may not be replaced.
        OSError: the system does not let it.
    """
    with draft.open("rb") as copy:
        os.fsync(copy.fileno())
    if replace:
        draft.replace(file)
    else:
        try:
            file.hardlink_to(draft)  # fails where the name exists, which renaming does not
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            draft.rename(file)
    with contextlib.suppress(OSError):  # not every file system can
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

"""A copy of a live SQLite database in one file.

1. One read transaction from the first page to the last: the copy is the state at its beginning, however much is written meanwhile.
   Without it every commit of a server would start the copying over.
2. The copy appears under its name complete and checked, or not at all; readable by its owner alone from its first moment.
3. Nothing that a database is made of is ever replaced.
"""

import contextlib
import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from quintet.store.publishing import publish

__all__ = ["BackupError", "Copied", "copy_database"]

_STEP = 256  # pages between two reports of progress, usually 1 MiB
_SIDES = ("-wal", "-shm", "-journal")

Progress = Callable[[int, int], None]


class BackupError(Exception):
    """No copy was made. `what` and `fix` are a sentence each; `usage`: the name of the file is at fault."""

    def __init__(self, what: str, fix: str, *, usage: bool = False) -> None:
        self.what = what
        self.fix = fix
        self.usage = usage
        super().__init__(what)


class Copied(NamedTuple):
    """A copy that was made: its size in bytes, the wall-clock time of its state in milliseconds, and how long it took in seconds."""

    size: int
    as_of_ms: int
    seconds: float


def copy_database(source: Path, file: Path, *, force: bool, progress: Progress = lambda done, total: None) -> Copied:
    """Copy the database at `source` to `file`, durable and checked when this returns. `progress` gets pages done and in all.

    Raises:
        BackupError: the name cannot be used, the copy is damaged, or the system does not let it be made.
    """
    _usable(source, file, force)
    begun, as_of = time.monotonic(), time.time_ns() // 1_000_000
    draft = file.with_name(f".{file.name}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, draft, progress)
        _check(draft)
        size = draft.stat().st_size
        publish(draft, file, replace=force)
    except sqlite3.Error as error:
        raise BackupError(f"The database could not be copied ({error})", "Look at the disks of both files.") from error
    except FileExistsError:
        raise _exists() from None
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise BackupError(f"The copy could not be written ({why})", "Choose a file that you may write.") from error
    finally:
        for side in ("", *_SIDES):
            with contextlib.suppress(OSError):
                draft.with_name(draft.name + side).unlink()
    return Copied(size, as_of, time.monotonic() - begun)


def _usable(source: Path, file: Path, force: bool) -> None:
    ours = {os.path.realpath(source) + side for side in ("", *_SIDES, ".lock")}
    if os.path.realpath(file) in ours or (file.exists() and file.samefile(source)):
        raise BackupError("That file belongs to the database itself", "Name another one.", usage=True)
    if file.is_dir():
        raise BackupError("That is a folder", "Name a file in it.", usage=True)
    if not file.parent.is_dir():
        raise BackupError("The folder of that file does not exist", "Make it first.", usage=True)
    if os.path.lexists(file) and not force:
        raise _exists()
    if any(file.with_name(file.name + side).exists() for side in _SIDES):
        # Opened with a new database beside it, an old write-ahead log would be taken for its own.
        raise BackupError(
            "Beside that file lie the changes of a database of the same name, which is open or was not closed",
            "Name another one.",
            usage=True,
        )


def _exists() -> BackupError:
    return BackupError("That file exists already", "Name another one, or replace it with --force.", usage=True)


def _copy(source: Path, draft: Path, progress: Progress) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True)) as live,
        contextlib.closing(sqlite3.connect(draft)) as copy,
    ):
        live.isolation_level = None
        live.execute("PRAGMA busy_timeout = 5000")
        live.execute("PRAGMA query_only = ON")
        live.execute("BEGIN")
        live.execute("SELECT 1 FROM sqlite_master").fetchone()  # the transaction sees from here
        live.backup(copy, pages=_STEP, progress=lambda _, left, total: progress(total - left, total), sleep=0)
        live.execute("ROLLBACK")


def _check(draft: Path) -> None:
    # Immutable: the check leaves no files beside a copy that is whole in itself, and needs no shared memory where it lies.
    with contextlib.closing(sqlite3.connect(f"{draft.resolve().as_uri()}?immutable=1", uri=True)) as copy:
        told = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if told != "ok":
        raise BackupError(
            "The copy is damaged, because the database or the disk is", "Keep earlier copies, and check the disks."
        )

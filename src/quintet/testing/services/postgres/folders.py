"""Folders that PostgreSQL's account can reach as things are: no permission of a folder that was there before is loosened."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from quintet.testing.services.handle import ServiceError
from quintet.testing.services.postgres.account import Account, reaches

__all__ = ["cache_folder", "run_folder", "settle"]

_MEMORY = Path("/dev/shm")  # noqa: S108 - a new folder of our own is made in it
_PLENTY = 2 * 1024**3  # bytes; a container has 64 MiB unless it is told otherwise


def cache_folder(account: Account) -> Path:
    """Where clusters are kept between runs: the user's cache; for root one that the account reaches."""
    for folder in _caches():
        if not reaches(_there(folder), account):
            continue
        try:
            folder.mkdir(mode=0o755 if account.uid is not None else 0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if _is_ours(folder) and reaches(folder, account):
            return folder
    raise ServiceError(f"no folder for PostgreSQL's files that user {account.uid or os.geteuid()} can reach")


def _caches() -> Iterator[Path]:
    home = os.environ.get("XDG_CACHE_HOME") or ""
    if Path(home).is_absolute():
        yield Path(home) / "quintet"
    if os.environ.get("HOME"):
        yield Path(os.environ["HOME"]) / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "quintet"
    if os.geteuid() == 0:
        yield Path("/var/cache/quintet")
    yield Path(tempfile.gettempdir()) / f"quintet-{os.geteuid()}"


def _there(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())


def _is_ours(folder: Path) -> bool:
    # In a folder that everybody may write, another user could have made ours first and would own what we start from.
    row = folder.lstat()
    return (
        stat.S_ISDIR(row.st_mode)
        and row.st_uid == os.geteuid()
        and not row.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        and os.access(folder, os.W_OK | os.X_OK)
    )


def run_folder(account: Account) -> Path:
    """A new folder for one run; only it is opened for passing through, and only where the account is another than ours."""
    for around in (_quick(), Path(tempfile.gettempdir())):
        if around is not None and reaches(around, account):
            break
    else:
        around = cache_folder(account)
    folder = Path(tempfile.mkdtemp(prefix="quintet-run-", dir=around))
    if account.uid is not None:
        folder.chmod(0o711)
    return folder


def _quick() -> Path | None:
    """Memory, where there is plenty and nobody has said where to go: cloning a database takes 9 ms there, on a busy disk 300."""
    try:
        space = os.statvfs(_MEMORY)
    except OSError:
        return None
    plenty = space.f_bavail * space.f_frsize >= _PLENTY and os.access(_MEMORY, os.W_OK | os.X_OK)
    return _MEMORY if plenty and not os.environ.get("TMPDIR") else None


def settle(building: Path, target: Path) -> None:
    """Puts what was built in its place, at once and whole; another run may have been first, and its work is as good."""
    try:
        building.rename(target)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)
        if not target.is_dir():
            raise

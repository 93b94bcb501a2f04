"""Who PostgreSQL runs as, since it refuses to run as root: then an unprivileged account that exists already. None is made."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from quintet.testing.services.handle import ServiceError

__all__ = ["Account", "ours", "reaches"]

_CANDIDATES = ("nobody", "daemon", "postgres")  # `postgres` last: it may own real data


@dataclass(frozen=True)
class Account:
    """The numbers to drop to; None where we are not root and stay who we are."""

    uid: int | None = None
    gid: int | None = None


def ours() -> Account:
    """The account for PostgreSQL. Raises `ServiceError` where root has none to drop to."""
    if os.geteuid() != 0:
        return Account()
    import pwd

    for name in _CANDIDATES:
        try:
            row = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(row.pw_uid, row.pw_gid)
    raise ServiceError(f"PostgreSQL does not run as root, and there is none of the accounts {', '.join(_CANDIDATES)}")


def reaches(path: Path, account: Account) -> bool:
    """Whether the account may pass through every folder down to a path. Ourselves always, as far as anybody can tell."""
    if account.uid is None:
        return True
    resolved = path.resolve()
    return all(_passes(folder.stat(), account) for folder in (resolved, *resolved.parents) if folder.is_dir())


def _passes(row: os.stat_result, account: Account) -> bool:
    if row.st_uid == account.uid:
        return bool(row.st_mode & stat.S_IXUSR)
    if row.st_gid == account.gid:
        return bool(row.st_mode & stat.S_IXGRP)
    return bool(row.st_mode & stat.S_IXOTH)

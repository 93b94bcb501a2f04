"""A cluster's files: made by initdb once per machine, version and flags, and copied for each run.

The kept one belongs to us alone and is never started. Its password is kept beside it, readable by nobody else: on a machine with other
users, a server that trusts every local connection would let them run programs as us.
"""

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from quintet.testing.services.handle import ServiceError
from quintet.testing.services.postgres.account import Account
from quintet.testing.services.postgres.binaries import Binaries
from quintet.testing.services.postgres.folders import cache_folder, settle

__all__ = ["USER", "copied"]

USER = "tester"
_INITDB_SECONDS = 60.0
_COPY_SECONDS = 60.0
_KEPT_SECONDS = 30 * 24 * 3600
_FORM = "3"  # of what is kept; another form is another folder


def copied(binaries: Binaries, flags: Sequence[str], account: Account, to: Path) -> str:
    """Puts a fresh cluster at a path that does not exist yet, owned by the account; returns the password of `USER`."""
    kept = _kept(binaries, [*_flags(binaries), *flags], account)
    done = subprocess.run(  # noqa: S603 - a list of words, no shell
        ["cp", "-a", kept / "cluster", to],  # noqa: S607 - wherever the system has it
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_COPY_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout.splitlines() or [f"cp ended with exit code {done.returncode}"])[-1]
        raise ServiceError(f"copying the cluster that was kept: {said}")
    _give(to, account.uid, account.gid)
    return (kept / "password").read_text("ascii")


def _flags(binaries: Binaries) -> list[str]:
    made = ["--encoding=UTF8", "--wal-segsize=1", "--auth=scram-sha-256", f"--username={USER}", "--no-sync"]
    if binaries.major >= 17:  # the same order and letters on every system
        made += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:
        made += ["--lc-collate=C", f"--lc-ctype={'C.UTF-8' if sys.platform == 'linux' else 'C'}", "--lc-messages=C"]
    return [*made, "--no-data-checksums"] if binaries.major >= 18 else made


def _kept(binaries: Binaries, flags: Sequence[str], account: Account) -> Path:
    folder = cache_folder(account)
    program = (binaries.folder / "postgres").stat()
    facts = [
        _FORM,
        str(binaries.folder.resolve()),
        binaries.version,
        str(program.st_size),
        str(program.st_mtime_ns),
        *flags,
    ]
    digest = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]
    target = folder / f"cluster-{binaries.version}-{digest}"
    if not target.is_dir():
        building = target.with_name(f"{target.name}.{os.getpid()}-{secrets.token_hex(4)}")
        try:
            _build(binaries, flags, account, building)
            settle(building, target)
            _forget(folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    os.utime(target)
    return target


def _forget(folder: Path) -> None:
    """Removes clusters that nobody has used for long: of other versions, or left by a run that was killed while it made one."""
    for old in folder.glob("cluster-*"):
        if time.time() - old.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _build(binaries: Binaries, flags: Sequence[str], account: Account, building: Path) -> None:
    building.mkdir(mode=0o711)
    password, cluster = building / "password", building / "cluster"
    cluster.mkdir(mode=0o700)
    password.touch(0o600)
    password.write_text(secrets.token_hex(16), "ascii")
    _give(building, account.uid, account.gid)
    command = [str(binaries.folder / "initdb"), f"--pgdata={cluster}", f"--pwfile={password}", *flags]
    made = subprocess.run(  # noqa: S603 - a list of words, no shell
        command,
        cwd=building,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_INITDB_SECONDS,
        check=False,
        user=account.uid,
        group=account.gid,
        extra_groups=[] if account.uid is not None else None,
    )
    if made.returncode != 0:
        raise ServiceError(f"initdb ended with exit code {made.returncode}: {' '.join(command)}\n{made.stdout}")
    if account.uid is not None:  # the account must not be able to change what later runs start from
        _give(building, os.geteuid(), os.getegid())


def _give(top: Path, uid: int | None, gid: int | None) -> None:
    if uid is None or gid is None:
        return
    os.chown(top, uid, gid)
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            os.chown(Path(folder) / name, uid, gid, follow_symlinks=False)

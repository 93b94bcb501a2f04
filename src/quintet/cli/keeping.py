"""Where the terminal keeps its sign-ins: one file for each server, in the user's configuration folder.

1. Readable by its owner alone from its first moment, complete or not there at all.
2. Of all processes that use a sign-in one renews at a time; the others then find the new token.
"""

import asyncio
import hashlib
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from quintet.client import DEFAULT_URL, ClientError, Grant

__all__ = ["SignIn", "configuration_folder", "usual_url"]

_TURN_SECONDS = 20.0  # a renewal takes 8 at most
_MOST_BYTES = 64 * 1024


class _Kept(Struct, omit_defaults=True):
    url: str
    email: str
    refresh_token: str
    attempt_id: str | None = None


def configuration_folder() -> Path:
    """The user's configuration folder, by the convention of the platform."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    if Path(named).is_absolute():  # the specification says that a relative one is to be ignored
        base = Path(named)
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        base = Path.home() / ".config"
    return base / "quintet"


def usual_url() -> str:
    """The server signed in to last; else the one that `quintet serve` starts."""
    with suppress(OSError, UnicodeDecodeError):
        named = (configuration_folder() / "server").read_text(encoding="utf-8")[:_MOST_BYTES].strip()
        if named:
            return named
    return DEFAULT_URL


class SignIn:
    """The sign-in at one server: a keeping of its session, and who it is."""

    def __init__(self, url: str) -> None:
        """`url` as `parse_address` gives it."""
        self._url = url
        place = re.sub(r"[^a-z0-9.]+", "-", url.partition("://")[2].lower())[:80]
        digest = hashlib.sha256(url.encode()).hexdigest()[:8]
        self.path = configuration_folder() / "sessions" / f"{place}-{digest}.json"

    @property
    def email(self) -> str:
        """Whose sign-in it is; empty if there is none."""
        kept = self._load()
        return kept.email if kept else ""

    def read(self) -> Grant | None:
        """What is kept now."""
        kept = self._load()
        return Grant(kept.refresh_token, kept.attempt_id) if kept else None

    def write(self, grant: Grant) -> None:
        """Keep this from now on. A sign-in that was removed meanwhile stays removed."""
        kept = self._load()
        if kept is not None:
            self._save(_Kept(self._url, kept.email, grant.refresh_token, grant.attempt_id))

    def begin(self, email: str, refresh_token: str) -> None:
        """Keep a new sign-in, which is from now on the usual one."""
        self._save(_Kept(self._url, email, refresh_token))
        _put(configuration_folder() / "server", self._url.encode() + b"\n")

    def forget(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Wait for the turn of this process."""
        _folder(self.path.parent)
        descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            until = time.monotonic() + _TURN_SECONDS
            while not _locked(descriptor):
                if time.monotonic() > until:
                    raise ClientError(f"another process has not let go of {self.path} for {_TURN_SECONDS:.0f} s")
                await asyncio.sleep(0.02)
            yield
        finally:
            os.close(descriptor)

    def _load(self) -> _Kept | None:
        try:
            with self.path.open("rb") as file:
                return msgspec.json.decode(file.read(_MOST_BYTES), type=_Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            raise ClientError(f"{self.path} cannot be read; remove it and sign in again") from None

    def _save(self, kept: _Kept) -> None:
        _put(self.path, msgspec.json.encode(kept))


def _locked(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: two processes at once may meet, and one has to sign in again
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ClientError(f"{path} cannot be made ({(error.strerror or '').lower()})") from None


def _put(path: Path, content: bytes) -> None:
    """Write a file of the owner's alone; after a power cut it is the old one or the new one."""
    _folder(path.parent)
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
        draft = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ClientError(f"{path} cannot be written ({(error.strerror or '').lower()})") from None

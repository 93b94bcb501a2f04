"""The secret that `--dev` makes.

1. It is made once and kept, so that a restart signs nobody out.
2. It goes into no repository by accident.
3. It appears complete or not at all, readable by its owner alone from its first moment.
4. Of two starts at once one makes it, the other takes it.
"""

import os
import secrets
import tempfile
from pathlib import Path

from quintet.settings import Fault, SettingsError

__all__ = ["FILE_NAME", "kept_secret", "own_folder"]

FILE_NAME = "development-secret"
MOST_BYTES = 4096


def own_folder(folder: Path) -> Path:
    """The data folder, made if need be for its owner alone. Raises `SettingsError` if nothing can be written there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SettingsError([_unusable(error)]) from None
    return folder


def kept_secret(folder: Path) -> str:
    """The secret kept in the data folder; makes folder and secret at the first time. Raises `SettingsError` if it cannot."""
    path = own_folder(folder) / FILE_NAME
    try:
        if not path.exists():
            (folder / ".gitignore").write_text("*\n", encoding="ascii")
            _make(path)
        path.chmod(0o600)
        with path.open(encoding="ascii", errors="replace") as file:
            return file.read(MOST_BYTES).strip()
    except OSError as error:
        raise SettingsError([_unusable(error)]) from None


def _make(path: Path) -> None:
    draft = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link fails where the name exists, a rename would replace the secret that another start has just made.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _unusable(error: OSError) -> Fault:
    why = (error.strerror or type(error).__name__).lower()
    return Fault(
        "QUINTET_DATA", f"is a folder that cannot be written ({why})", "Set it, or --data, to a folder of your own."
    )

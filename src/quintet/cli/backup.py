"""`quintet backup`: a copy of the live database, with what a person wants to know of it: how far, how large, how long, and that it is whole."""

from datetime import UTC, datetime
from pathlib import Path

from .bar import bar
from .saying import say
from .serving import Wish
from .timeline import duration
from .user import administered, settings_of

__all__ = ["backup"]

_LARGE = 16 * 1024  # pages, usually 64 MiB: less is copied before a bar could be read
_UNITS = ("kB", "MB", "GB")


def backup(wish: Wish, file: Path, *, force: bool) -> int:
    """Makes the copy and gives the exit code of the process."""

    def work(wish: Wish) -> int:
        from quintet.server.administration import backed_up

        with bar(_LARGE) as shown:

            def progress(done: int, total: int) -> None:
                shown("Checking" if done >= total else "Copying", done, total)

            made = backed_up(settings_of(wish), file, force=force, progress=progress)
        as_of = f"{datetime.fromtimestamp(made.as_of_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
        say(
            f"Copied to {file}: {_size(made.size)}, the state of {as_of}, in {duration(made.seconds * 1000)}. Checked: it is whole."
        )
        return 0

    return administered(wish, work)


def _size(size: int) -> str:
    power = 1 + (size >= 1e6) + (size >= 1e9)
    return f"{size / 1000**power:.1f} {_UNITS[power - 1]}"

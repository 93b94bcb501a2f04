"""`quintet serve`: reads the world, asks `settings` for the settings, hands them to the server, and says what went wrong."""

import os
import sys
from pathlib import Path
from typing import Literal, NamedTuple

__all__ = ["Wish", "serve_until_stopped"]

ENV_FILE = Path(".env")
MOST_ENV_BYTES = 1 << 20


class Wish(NamedTuple):
    """The options as they were given."""

    dev: bool
    host: str | None
    port: int | None
    data: Path | None
    database: str | None
    agents: tuple[str, ...]
    role: Literal["all", "gateway", "worker"]


def serve_until_stopped(wish: Wish) -> int:
    """Starts the server, waits for its end, and gives the exit code of the process."""
    try:
        from quintet.settings import SettingsError, StartError
    except ModuleNotFoundError as missing:
        return _without_server(missing)
    try:
        return _serve(wish)
    except SettingsError as error:
        _say(*(fault.line for fault in error.faults))
        return error.exit_code
    except StartError as error:
        _say(error.line)
        return error.exit_code
    except ModuleNotFoundError as missing:
        return _without_server(missing)


def _serve(wish: Wish) -> int:
    from quintet.settings import Options, load

    from .development import kept_secret, own_folder

    settings = load(os.environ, _env_file() if wish.dev else None, Options(*wish), kept_secret)
    own_folder(settings.data)
    if wish.dev:
        _say(
            "Development: loopback only, a secret made for this folder, the database migrated at the start.",
            f"Sign-up is {'open' if settings.sign_up else 'closed'}. Everything is kept in {settings.data}.",
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    from quintet.server import run

    return run(settings, settings.agents, wish.role)


def _env_file() -> str | None:
    from quintet.settings import Fault, SettingsError

    try:
        with ENV_FILE.open("rb") as file:
            text = file.read(MOST_ENV_BYTES + 1)
        if len(text) > MOST_ENV_BYTES:
            raise SettingsError([Fault(".env", "is larger than 1 MiB", "Keep nothing but settings in it.")])
        return text.decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            [Fault(".env", "cannot be read", "Make it a readable file of UTF-8 text, or remove it.")]
        ) from None


def _without_server(missing: ModuleNotFoundError) -> int:
    """The base installation has no server; any other missing module is a defect and is shown as one."""
    if (missing.name or "quintet").partition(".")[0] == "quintet":
        raise missing
    _say(
        f"quintet serve needs a package that is not installed ({missing.name}). Install it with: pip install 'quintet[server]'"
    )
    return 1


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - what a person reads on a terminal

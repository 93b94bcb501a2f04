"""`quintet serve` and `quintet migrate`: the world is read, `settings` judges it, the server works, and what went wrong is said."""

import gc
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from quintet.settings import Settings

__all__ = ["Wish", "env_file", "migrate_once", "reported", "serve_until_stopped"]

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
    workers: int = 1


def serve_until_stopped(wish: Wish, parent: int | None) -> int:
    """Starts the server, waits for its end, and gives the exit code of the process. `parent`: the descriptor of one of several."""
    return reported(lambda wish: _serve(wish, parent), wish)


def migrate_once(wish: Wish) -> int:
    """Brings the database to this version and gives the exit code of the process."""
    return reported(_migrate, wish)


def reported(work: Callable[[Wish], int], wish: Wish) -> int:
    """Does the work and gives the exit code of the process; what stops it is said on standard error, a line each."""
    try:
        from quintet.settings import SettingsError, StartError
    except ModuleNotFoundError as missing:
        return _without_server(missing)
    try:
        return work(wish)
    except SettingsError as error:
        _say(*(fault.line for fault in error.faults))
        return error.exit_code
    except StartError as error:
        _say(error.line)
        return error.exit_code
    except ModuleNotFoundError as missing:
        return _without_server(missing)


def _migrate(wish: Wish) -> int:
    settings = _settings(wish)
    from quintet.server import migrated

    _say(migrated(settings))
    return 0


def _settings(wish: Wish) -> "Settings":
    from quintet.settings import Options, load

    from .development import kept_secret, own_folder

    settings = load(os.environ, env_file() if wish.dev else None, Options(*wish), kept_secret)
    own_folder(settings.data)
    return settings


def _serve(wish: Wish, parent: int | None) -> int:
    gc.disable()  # a fifth of the start would be looking for garbage in modules; the server turns it on when it listens
    settings = _settings(wish)
    if wish.dev and parent is None:
        _say(
            "Development: loopback only, a secret made for this folder, the database migrated at the start.",
            f"Sign-up: {settings.sign_up}. Everything is kept in {settings.data}, letters too, as files in its folder mail.",
        )
    if wish.workers > 1:
        gc.enable()
        from quintet.server import keep_processes

        return keep_processes(settings, wish.workers, partial(_again, wish))
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    from quintet.server import run

    return run(settings, settings.agents, wish.role, parent)


def _again(wish: Wish, port: int, spoken: int) -> list[str]:
    """The command of one process of several."""
    named = {"--host": wish.host, "--data": wish.data, "--database": wish.database, "--role": wish.role}
    options = [word for flag, value in named.items() if value is not None for word in (flag, str(value))]
    agents = [word for module in wish.agents for word in ("--agents", module)]
    ours = ["--port", str(port), "--parent", str(spoken), *(["--dev"] if wish.dev else [])]
    return [sys.executable, "-m", "quintet", "serve", *ours, *options, *agents]


def env_file() -> str | None:
    """The text of `.env` in the current folder. Raises `SettingsError` where it cannot be read."""
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
    extra = "server,postgres" if missing.name == "psycopg" else "server"
    _say(
        f"This command needs a package that is not installed ({missing.name}). Install it with: pip install 'quintet[{extra}]'"
    )
    return 1


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - what a person reads on a terminal

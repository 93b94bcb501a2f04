"""The database that the settings name, for an operator: its accounts and its copies, also while a server has it open."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from quintet.accounts.admin.administration import Administration
from quintet.accounts.joining.inviting import Inviting
from quintet.accounts.keys import Periods
from quintet.accounts.keys.keeping import KeyKeeping
from quintet.accounts.letters import Courier, Post, Wording
from quintet.accounts.machines.keeping import ClientKeeping
from quintet.edge.limits import Throttle
from quintet.server import values
from quintet.server.beside import SQLITE, existing_file, opened_beside
from quintet.server.posting import courier
from quintet.settings import Settings, StartError
from quintet.sources import Sources
from quintet.store.backup import BackupError, Copied, copy_database

__all__ = ["InvitingOffice", "administration", "backed_up", "client_keeping", "inviting", "key_keeping"]

_USAGE = 2


@asynccontextmanager
async def administration(settings: Settings) -> AsyncIterator[Administration]:
    """The accounts of the database, beside a server or without. Raises `StartError`: it is not there or cannot be used."""
    async with opened_beside(settings) as store:
        accounts = Administration(store, Sources(), values.accounts(settings))
        try:
            yield accounts
        finally:
            accounts.close()


@asynccontextmanager
async def key_keeping(settings: Settings) -> AsyncIterator[KeyKeeping]:
    """The signing keys of the database, likewise."""
    config = values.accounts(settings)
    periods = Periods.of(config.access_seconds, config.leeway_seconds, config.key_rotation_days)
    async with opened_beside(settings) as store:
        yield KeyKeeping(store, Sources(), values.secrets(settings), periods)


@asynccontextmanager
async def client_keeping(settings: Settings) -> AsyncIterator[ClientKeeping]:
    """The service clients of the database, likewise."""
    async with opened_beside(settings) as store:
        yield ClientKeeping(store, Sources())


@dataclass(frozen=True, slots=True)
class InvitingOffice:
    """Who makes invitations, and who brings them, where there is a mail server."""

    inviting: Inviting
    courier: Courier | None


@asynccontextmanager
async def inviting(settings: Settings) -> AsyncIterator[InvitingOffice]:
    """The invitations of the database, likewise."""
    sources, config = Sources(), values.accounts(settings)
    carrier = courier(settings, sources)
    throttle = Throttle(config.letters_per_account, sources.monotonic)
    post = Post(carrier.take if carrier else None, Wording(config.site), throttle)
    async with opened_beside(settings) as store:
        try:
            yield InvitingOffice(Inviting(store, sources, post), carrier)
        finally:
            if carrier is not None:
                await carrier.close()


def backed_up(settings: Settings, file: Path, *, force: bool, progress: Callable[[int, int], None]) -> Copied:
    """Copy the database, whatever its revision, to `file`; `progress` gets pages done and in all. Raises `StartError`."""
    if not settings.database.startswith(SQLITE):
        raise StartError("The database is no SQLite file", "Copy it with the tools of its own, such as pg_dump.")
    try:
        return copy_database(existing_file(settings), file, force=force, progress=progress)
    except BackupError as error:
        raise StartError(error.what, error.fix, exit_code=_USAGE if error.usage else 1) from error

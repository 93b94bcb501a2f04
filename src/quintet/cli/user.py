"""`quintet user …`: accounts by the hand of whoever runs the server. A password is typed or piped in, never an argument.

The one thing that a program may want goes to standard output (a list, a generated password), everything said to standard error.
"""

import asyncio
import getpass
import json
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .reaching import close_quietly
from .saying import say
from .serving import Wish, env_file, reported

if TYPE_CHECKING:
    from quintet.accounts.admin.administration import Administration, Listed
    from quintet.settings import Settings

__all__ = [
    "add",
    "administered",
    "delete",
    "disable",
    "enable",
    "out",
    "place",
    "set_role",
    "settings_of",
    "show",
    "with_accounts",
]

_TRIES = 3
_MOST = 8192


def place(dev: bool, data: Path | None, database: str | None) -> Wish:
    """The options that say which database is meant."""
    return Wish(dev, None, None, data, database, (), "all")


def settings_of(wish: Wish) -> "Settings":
    """The settings as `serve` reads them, without what only a server needs. Nothing is made in the data folder."""
    from quintet.settings import Options, load

    text = env_file() if wish.dev else None
    return load(os.environ, text, Options(*wish), lambda _: secrets.token_urlsafe(48), serves=False)


def administered(wish: Wish, work: Callable[[Wish], int]) -> int:
    """Does the work on a database and gives the exit code of the process; what stops it is said in a line each."""
    try:
        return reported(work, wish)
    except (KeyboardInterrupt, EOFError):
        say("")
        return 1
    except BrokenPipeError:
        close_quietly()
        return 1


def add(wish: Wish, email: str, name: str | None, *, admin: bool, generate: bool) -> int:
    """Adds a user and gives the exit code of the process."""

    def work(accounts: "Administration", loop: asyncio.Runner) -> int:
        address = loop.run(accounts.vacant(email))
        password = accounts.generated() if generate else _accepted(accounts, loop)
        if password is None:
            say("A password is needed, on the first line of standard input.")
            return 2
        user = loop.run(accounts.add(address.text, password, name, admin=admin))
        say(f"Added {user.email} ({user.id}){', an admin' if admin else ''}.")
        if generate:
            say("The password, shown this once:")
            out(password)
        return 0

    return with_accounts(wish, work)


def show(wish: Wish, *, as_json: bool) -> int:
    """Lists the users and gives the exit code of the process."""

    def work(accounts: "Administration", loop: asyncio.Runner) -> int:
        found = loop.run(accounts.users())
        if as_json:
            out(json.dumps([user.view() for user in found], ensure_ascii=False, indent=2))
        elif found:
            _table(found)
        else:
            say("There are no users. Add one with: quintet user add")
        return 0

    return with_accounts(wish, work)


def disable(wish: Wish, who: str) -> int:
    """Disables a user and gives the exit code of the process."""

    def work(accounts: "Administration", loop: asyncio.Runner) -> int:
        user, changed = loop.run(accounts.disable(who))
        done = "Disabled" if changed else "Was disabled already:"
        say(f"{done} {user.email} ({user.id}). Signed out everywhere; a running server closes connections within 5 s.")
        return 0

    return with_accounts(wish, work)


def enable(wish: Wish, who: str) -> int:
    """Enables a user and gives the exit code of the process."""

    def work(accounts: "Administration", loop: asyncio.Runner) -> int:
        user, changed = loop.run(accounts.enable(who))
        say(f"{'Enabled' if changed else 'Was not disabled:'} {user.email} ({user.id}).")
        return 0

    return with_accounts(wish, work)


def delete(wish: Wish, who: str, *, sure: bool) -> int:
    """Deletes a user for good and gives the exit code of the process. Asks for the address again, unless `sure`."""

    def work(accounts: "Administration", loop: asyncio.Runner) -> int:
        user = loop.run(accounts.user(who))
        if not sure and not _typed_again(user.email):
            say("Nobody was deleted.")
            return 2
        loop.run(accounts.delete(user.id))
        say(f"Deleted {user.email} ({user.id}), with everything that was theirs. Copies of the database still have it.")
        return 0

    return with_accounts(wish, work)


def _typed_again(email: str) -> bool:
    """Whether somebody at a terminal means this account. A program says --yes."""
    if not sys.stdin.isatty():
        say("Say --yes: this cannot be undone.")
        return False
    return input(f"This cannot be undone. Type {email} to go on: ").strip().casefold() == email.casefold()


def set_role(wish: Wish, who: str, role: str) -> int:
    """Gives a user a role and gives the exit code of the process."""

    def work(accounts: "Administration", loop: asyncio.Runner) -> int:
        user, changed = loop.run(accounts.set_role(who, role))
        say(f"{user.email} ({user.id}) {'has now' if changed else 'had already'} the role {role}.")
        return 0

    return with_accounts(wish, work)


def with_accounts(wish: Wish, work: Callable[["Administration", asyncio.Runner], int]) -> int:
    def run(_: Wish) -> int:
        from quintet.server.administration import administration

        from .beside import with_opened

        return with_opened(administration(settings_of(wish)), work)

    return administered(wish, run)


def _accepted(accounts: "Administration", loop: asyncio.Runner) -> str | None:
    """A password that the rules let pass: typed twice, or piped in. None where there is none."""
    from quintet.errors import QuintetError

    if not sys.stdin.isatty():
        # Bytes that are no text become characters that no password may have, so they are refused by name.
        return sys.stdin.buffer.readline(_MOST).decode("utf-8", "surrogateescape").rstrip("\r\n") or None
    for left in reversed(range(_TRIES)):
        password = getpass.getpass("Password: ")
        try:
            loop.run(accounts.check(password))
        except QuintetError as refusal:
            if not left:
                raise
            say(refusal.message)
            continue
        if getpass.getpass("Password again: ") == password:
            return password
        say("The two are not the same.")
    raise QuintetError("bad_message", "The two were never the same, so nobody was added.")


def _table(found: list["Listed"]) -> None:
    from .tables import minute, print_table

    heads = ("Id", "E-mail", "Role", "Created (UTC)", "Disabled", "Sessions", "Last used")
    rows = [
        (
            (
                *(user.id, user.email, user.role, minute(user.created_at), minute(user.disabled_at)),
                *(str(user.sessions), minute(user.last_used_at)),
            ),
            user.disabled_at is not None,
        )
        for user in found
    ]
    print_table(heads, rows)


def out(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the command's result

"""`quintet user audit`: what was done with accounts, from the table that only grows."""

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .saying import say
from .serving import Wish
from .user import out, with_accounts

if TYPE_CHECKING:
    from quintet.accounts.admin.administration import Administration
    from quintet.accounts.audit import Entry

__all__ = ["show_audit"]


def show_audit(wish: Wish, who: str | None, limit: int, *, as_json: bool) -> int:
    """Shows the newest rows and gives the exit code of the process."""

    def work(accounts: "Administration", loop: asyncio.Runner) -> int:
        found = loop.run(accounts.audit(who, limit))
        if as_json:
            out(json.dumps([entry.view() for entry in found], ensure_ascii=False, indent=2))
        elif found:
            _table(found)
        else:
            say("Nothing is in the audit.")
        return 0

    return with_accounts(wish, work)


def _table(found: list["Entry"]) -> None:
    from .tables import print_table

    heads = ("At (UTC)", "Action", "Subject", "By", "Address", "Detail")
    print_table(heads, [(_cells(entry), False) for entry in found])


def _cells(entry: "Entry") -> tuple[str, ...]:
    at = f"{datetime.fromtimestamp(entry.at / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    detail = " ".join(f"{name}={value}" for name, value in entry.detail.items())
    return tuple(cell or "-" for cell in (at, entry.action, entry.subject_id, entry.actor_id, entry.address, detail))

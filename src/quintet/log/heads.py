"""The heads of many users at once, each asked of the store that has the user's log.

A user's revision is raised with the account. Where the log is in a cell it is read beside it; a cell that is away keeps nobody else's heads back.
"""

import logging
from collections.abc import Sequence
from functools import partial

from quintet.errors import QuintetError
from quintet.log.numbers import Head, head_in
from quintet.log.reading import heads_in
from quintet.store import Store

__all__ = ["heads_of", "revision_apart"]

log = logging.getLogger(__name__)


async def heads_of(store: Store, users: Sequence[str]) -> dict[str, Head]:
    """By user; without those that are not there, or whose cell is away.

    Raises:
        QuintetError: the accounts' store cannot.
    """
    of_cell: dict[Store | None, list[str]] = {}
    for user_id in users:
        of_cell.setdefault(store.apart(user_id), []).append(user_id)
    found: dict[str, Head] = {}
    if near := of_cell.pop(None, []):
        found |= await store.read(partial(heads_in, users=near))
    for cell, far in of_cell.items():
        assert cell is not None
        accounts = await store.read(partial(heads_in, users=far))
        found |= {
            user: head._replace(auth_rev=accounts[user].auth_rev)
            for user, head in (await _of(cell, far)).items()
            if user in accounts
        }
    return found


async def _of(cell: Store, users: Sequence[str]) -> dict[str, Head]:
    try:
        return await cell.read(partial(heads_in, users=users))
    except QuintetError:
        log.info("the heads of %d users could not be read: their cell is away", len(users))
        return {}


async def revision_apart(store: Store, user_id: str) -> int:
    """The user's revision where it is not in the head that a cell has; 0 where it is. Raises QuintetError: the accounts' store cannot."""
    if store.apart(user_id) is None:
        return 0
    return (await store.read(lambda tx: head_in(tx, user_id))).auth_rev

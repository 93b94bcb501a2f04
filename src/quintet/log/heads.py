"""The heads of many users at once, each asked of the store that has the user's log.

1. A user's revision is raised with the account. Where the log is in a cell it is read beside it.
2. A cell that is away keeps nobody else's heads back.
3. Of whom not both are known, the log and the account, nobody can say whether the user was signed out meanwhile: those are in doubt.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from quintet.errors import QuintetError
from quintet.log.numbers import Head
from quintet.log.reading import heads_in
from quintet.store import CLOSED, Store

__all__ = ["Heads", "heads_of", "revision_apart"]

log = logging.getLogger(__name__)


class Heads(NamedTuple):
    """By user; without those that are not there, and those in doubt."""

    found: dict[str, Head]
    in_doubt: set[str]


async def heads_of(store: Store, users: Sequence[str]) -> Heads:
    """What the stores of these users say.

    Raises:
        QuintetError: the accounts' store has logs of theirs, and cannot.
    """
    of_cell: dict[Store | None, list[str]] = {}
    for user_id in users:
        of_cell.setdefault(store.apart(user_id), []).append(user_id)
    heads = Heads({}, set())
    if near := of_cell.pop(None, []):
        heads.found.update(await store.read(partial(heads_in, users=near)))
    for cell, far in of_cell.items():
        assert cell is not None
        told = {user: head for user, head in (await _known(cell, far)).items() if head.epoch != CLOSED}
        accounts = await _known(store, far)
        heads.in_doubt.update(user for user in far if user not in accounts or user not in told)
        heads.found.update(
            {user: head._replace(auth_rev=accounts[user].auth_rev) for user, head in told.items() if user in accounts}
        )
    return heads


async def _known(store: Store, users: Sequence[str]) -> dict[str, Head]:
    try:
        return await store.read(partial(heads_in, users=users))
    except QuintetError:
        log.info("the heads of %d users could not be read: their database is away", len(users))
        return {}


async def revision_apart(store: Store, user_id: str) -> int:
    """The user's revision where it is not in the head that a cell has; 0 where it is. Raises QuintetError: the accounts' store cannot."""
    if store.apart(user_id) is None:
        return 0
    return (await store.read(partial(heads_in, users=[user_id])))[user_id].auth_rev

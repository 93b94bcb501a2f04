"""Tells people of devices that were not seen before, however the sign-in was proven.

The sign-in says it with its commit; who is to be written to is looked up after that, on the loop of the requests.
"""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from quintet.accounts.by_letter.errands import Errands
from quintet.accounts.letters import Post
from quintet.accounts.people import users
from quintet.accounts.sessions.devices import NewDevice
from quintet.errors import QuintetError
from quintet.store import Store

__all__ = ["Newcomers"]

logger = logging.getLogger(__name__)


class Newcomers:
    """Listens from `start` to `close`."""

    def __init__(self, store: Store, errands: Errands, post: Post) -> None:
        self._store = store
        self._errands = errands
        self._post = post
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Write letters from now on, if there is a mail server."""
        if self._post.is_open:
            self._loop = asyncio.get_running_loop()
            self._store.on_commit(self._committed)

    def close(self) -> None:
        """Write no more."""
        self._loop = None

    def _committed(self, facts: Sequence[Any]) -> None:
        """In the committing thread."""
        loop = self._loop
        found = [fact for fact in facts if isinstance(fact, NewDevice)]
        if loop is not None and found and not loop.is_closed():
            loop.call_soon_threadsafe(self._begin, found)

    def _begin(self, found: Sequence[NewDevice]) -> None:
        for fact in found:
            try:
                self._errands.start("telling of a new device", partial(self._tell, fact))
            except QuintetError:
                logger.warning("a new device is not told of: too much is to be done")

    async def _tell(self, fact: NewDevice) -> None:
        user = await self._store.read(lambda tx: users.by_id(tx, fact.user_id))
        if user is not None and self._post.admits("device", user.id):
            self._post.send(self._post.words.new_device(user.email, fact.device, fact.address, fact.at_ms))

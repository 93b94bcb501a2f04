"""Where conversations are in cells: a user who speaks for the first time gets a place there, which is an id and the head of an empty log.

A place is given in a cell that holds the user's shard, and nowhere else; nothing else of the account goes there. Whoever is refused here has
a cell that is away, and no other cell is asked.
"""

from quintet.accounts.people.users import DELETED, new_epoch
from quintet.edge.identity import Authenticate
from quintet.errors import QuintetError
from quintet.log import create_head
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Store, Tx, holds
from quintet.store.cells import HOUSED

__all__ = ["Settling"]

_WAIT = 5  # seconds after which somebody refused may ask again
_KNOWN = 100_000  # users that are remembered to have a place
_THERE = "SELECT 1 FROM users WHERE id = ?"
_STAYS = "SELECT 1 FROM users WHERE id = ? AND role <> ?"
_TAKE_AWAY = "DELETE FROM users WHERE id = ? AND role = ?"  # and with it whatever was said there since
_ROW = (
    "INSERT INTO users (id, email, email_key, email_verified, password_hash, role, created_at)"
    " VALUES (?, '', ?, ?, '', ?, ?) ON CONFLICT (id) DO NOTHING"
)


class Settling:
    """Stands between `authenticate` and those who serve conversations."""

    def __init__(self, store: Store, sources: Sources, authenticate: Authenticate) -> None:
        self._store = store
        self._sources = sources
        self._authenticate = authenticate
        self._settled: set[str] = set()

    async def authenticate(self, token: str) -> Identity:
        """See `Authenticate`. Raises also QuintetError `unavailable`: the user's cell is away."""
        identity = await self._authenticate(token)
        if identity.user_id not in self._settled:
            await self.settle(identity.user_id)
            await self._check(identity.user_id)
        return identity

    async def settle(self, user_id: str) -> None:
        """Give the user a place. Raises QuintetError: the cell cannot, or does not hold the user's shard."""
        cell = self._store.apart(user_id)
        if cell is not None and await cell.read(lambda tx: tx.sql(_THERE, (user_id,)).fetchone()) is None:
            epoch, now = new_epoch(self._sources.token_bytes(6)), self._sources.now_ms()

            def make(tx: Tx) -> None:
                if not holds(tx, user_id):
                    raise QuintetError("unavailable", retry_after=_WAIT)
                if tx.sql(_ROW, (user_id, user_id, False, HOUSED, now)).rowcount:
                    create_head(tx, user_id, epoch)

            await cell.write(user_id, make)
        if len(self._settled) >= _KNOWN:
            self._settled.clear()
        self._settled.add(user_id)

    async def _check(self, user_id: str) -> None:
        """Whoever was deleted between being recognised and getting a place has none. Raises QuintetError `session_revoked`."""
        if await self._store.read(lambda tx: tx.sql(_STAYS, (user_id, DELETED)).fetchone()) is not None:
            return
        self._settled.discard(user_id)
        cell = self._store.apart(user_id)
        if cell is not None:
            await cell.write(user_id, lambda tx: tx.sql(_TAKE_AWAY, (user_id, HOUSED)) and None)
        raise QuintetError("session_revoked")

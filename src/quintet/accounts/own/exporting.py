"""Everything of a user as one JSON file: written out page by page, so that no memory holds it whole.

1. What is told of each owned table stands here, column by column; what is not told stands here with its reason. A test compares both with
   the schema, so a new table is decided about.
2. Nothing secret goes out: no hash, no digest, no key. What others could enter with is told by name and time only.
3. Each page is one short read, and before each is asked whether whoever began it may still: out is out, also half-way.
   A user's exports have a rate, and few run at once.
"""

import json
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Column, Table, select, tuple_

from quintet.accounts import audit
from quintet.accounts.own.download import Download, Places
from quintet.accounts.people import users
from quintet.accounts.people.users import User
from quintet.accounts.sessions import sessions
from quintet.edge.limits import Throttle
from quintet.errors import QuintetError
from quintet.events import timestamp
from quintet.log.reading import read_in
from quintet.scope import Identity
from quintet.sources import Sources
from quintet.store import Store, Tx
from quintet.store.tables import CONVERSATIONS, metadata

__all__ = ["SHOWN", "UNSHOWN", "Exporting"]

T = TypeVar("T")

AT_ONCE = 4
RATE = "10 per 1 hour"
ROWS = 200
_EVENTS = 256
_EVENT_BYTES = 1024 * 1024
_LARGE = {"attachments": 1, "messages": 10}  # rows in one read

SHOWN: Mapping[str, tuple[str, ...]] = {
    "sessions": ("id", "device", "created_at", "last_used_at", "expires_at", "ended_at", "ended_because"),
    "devices": ("seen_at",),
    "totps": ("created_at", "confirmed_at"),
    "passkeys": ("id", "name", "created_at", "used_at"),
    "api_keys": ("id", "name", "hint", "scopes", "created_at", "expires_at", "used_at", "revoked_at"),
    "external_identities": ("issuer", "subject", "email", "created_at", "used_at"),
    "threads": ("id", "title", "created_at", "updated_at"),
    "messages": ("id", "thread_id", "run_id", "role", "agent", "text", "client_id", "created_at"),
    "message_attachments": ("message_id", "place", "attachment_id"),
    "attachments": ("id", "name", "media_type", "size", "created_at", "content"),
    "runs": ("id", "thread_id", "message_id", "agent", "state", "error", "created_at", "started_at", "ended_at"),
}
"""What is told of a row, for each table; `content` as base 64. Events are told as they went over the wire."""

UNSHOWN: Mapping[str, str] = {
    "events": "told as they went over the wire",
    "heads": "positions of the log, told with the events",
    "gone_digests": "digests of events that were deleted",
    "refresh_tokens": "digests of what opens a session",
    "recovery_codes": "digests of what opens a session",
    "mail_tokens": "digests of what is in a letter",
    "challenges": "digests of a sign-in that is under way",
    "deleted_sends": "digests of what was deleted",
    "deletions": "no export begins while there is one",
}


class Exporting:
    """The exports of a server."""

    def __init__(self, store: Store, sources: Sources) -> None:
        self._store = store
        self._sources = sources
        self._rate = Throttle(RATE, sources.monotonic)
        self._places = Places(AT_ONCE)

    async def begin(self, identity: Identity, address: str | None) -> Download:
        """The answer with the file; one that is under way for the same user is cut.

        Raises:
            QuintetError: `rate_limited`, `busy`, `session_revoked`.
        """
        user_id, now = identity.user_id, self._sources.now_ms()
        self._rate.check(user_id)
        place = self._places.take(user_id)

        def record(tx: Tx) -> User:
            sessions.check(tx, identity, now)
            audit.record(tx, "exported", now, subject_id=user_id, address=address)
            user = users.by_id(tx, user_id)
            assert user is not None  # its session stands
            return user

        try:
            self._rate.take(user_id)
            if await self._store.of(user_id).read(lambda tx: tx.sql(_DELETING, (user_id,)).fetchone()) is not None:
                raise QuintetError("busy", "A conversation is being deleted. Try again in a moment.", retry_after=10)
            user = await self._store.write(user_id, record)
        except BaseException:
            place.leave()
            raise
        return Download(self._pieces(identity, user), place, _HEADERS)

    async def _pieces(self, identity: Identity, user: User) -> AsyncGenerator[bytes]:
        told = {"format": "quintet-export-1", "exported_at": timestamp(self._sources.now_ms()), "user": user.view()}
        yield json.dumps(told, ensure_ascii=False)[:-1].encode()
        for name, columns in SHOWN.items():
            async for piece in _listed(name, self._rows(metadata.tables[name], columns, identity)):
                yield piece
        async for piece in _listed("activity", self._activity(identity)):
            yield piece
        async for piece in _listed("events", self._events(identity)):
            yield piece
        yield b"\n}\n"

    async def _page(self, identity: Identity, store: Store, read: Callable[[Tx], T]) -> T:
        now = self._sources.now_ms()
        await self._store.read(lambda tx: sessions.check(tx, identity, now))
        return await store.read(read)

    async def _rows(self, table: Table, shown: tuple[str, ...], identity: Identity) -> AsyncIterator[bytes]:
        user_id = identity.user_id
        store = self._store.of(user_id) if table in CONVERSATIONS else self._store
        keys: list[Column[Any]] = [column for column in table.primary_key.columns if column.name != "user_id"]
        after: tuple[Any, ...] | None = None
        most = _LARGE.get(table.name, ROWS)
        statement = select(*keys, *(table.c[name] for name in shown)).where(table.c.user_id == user_id).limit(most)
        statement = statement.order_by(*keys)
        while True:
            page = statement if after is None else statement.where(tuple_(*keys) > after)
            rows = await self._page(identity, store, lambda tx, page=page: tx.core.execute(page).all())  # type: ignore[misc]
            for row in rows:
                yield _encoded(dict(zip(shown, row[len(keys) :], strict=True)))
            if len(rows) < most or not keys:
                return
            after = tuple(rows[-1][: len(keys)])

    async def _activity(self, identity: Identity) -> AsyncIterator[bytes]:
        before: int | None = None
        while rows := await self._page(
            identity,
            self._store,
            lambda tx, before=before: audit.of_user(tx, identity.user_id, before=before, limit=ROWS),  # type: ignore[misc]
        ):
            for row in rows:
                yield json.dumps(row.view(), ensure_ascii=False).encode()
            before = rows[-1].id

    async def _events(self, identity: Identity) -> AsyncIterator[bytes]:
        user_id = identity.user_id
        store = self._store.of(user_id)
        after = await store.read(lambda tx: tx.sql(_KEPT, (user_id,)).fetchone())
        place = after[0] if after is not None else None
        while place is not None:
            batch = await self._page(
                identity,
                store,
                lambda tx, place=place: read_in(tx, user_id, place, _EVENTS, _EVENT_BYTES),  # type: ignore[misc]
            )
            for row in batch.rows:
                yield row.frame
            place = batch.rows[-1].seq if batch.rows else None


_HEADERS = {"Content-Disposition": 'attachment; filename="quintet-export.json"'}
_DELETING = "SELECT 1 FROM deletions WHERE user_id = ? LIMIT 1"
_KEPT = "SELECT kept_after FROM heads WHERE user_id = ?"


async def _listed(name: str, items: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A list under its name, an item a line."""
    between = b"\n"
    yield f",\n{json.dumps(name)}: [".encode()
    async for item in items:
        yield between + item
        between = b",\n"
    yield b"]"


def _encoded(row: Mapping[str, Any]) -> bytes:
    return json.dumps(
        {name: _shown(name, value) for name, value in row.items() if value is not None}, ensure_ascii=False
    ).encode()


def _shown(name: str, value: Any) -> Any:
    if name == "content":
        return b64encode(value).decode("ascii")
    if name == "error":
        return json.loads(value)
    return timestamp(value) if name.endswith("_at") else value

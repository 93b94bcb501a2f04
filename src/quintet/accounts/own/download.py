"""A file that is written out while it is taken. Whoever takes it too slowly is cut, so that their place is somebody else's.

1. Few places; one for each user: who begins again, because the first one hangs, cuts the first.
2. A reader has `RESERVE` seconds in hand. Waiting for them spends these, every byte they take gives some back, up to the same.
3. Whatever ends it early cuts the connection: half a file must not look like a whole one.
4. What goes out is of one size, whatever the pieces are: small ones would each cost a turn of the loop, and of a large one nobody sees
   how far it is taken.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from quintet.edge.peers import transport_of
from quintet.errors import QuintetError

__all__ = ["Download", "Place", "Places"]

RESERVE = 20.0  # seconds
SLOWEST = 64 * 1024  # bytes a second
LONGEST = 1800.0  # seconds in all
BLOCK = 64 * 1024
RETRY_AFTER = 10

logger = logging.getLogger(__name__)


class Places:
    """So many at once, one for each user."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, Place] = {}

    def take(self, user_id: str) -> "Place":
        """A place for this user. Raises QuintetError `busy`."""
        former = self._taken.pop(user_id, None)
        if former is not None:
            former.cut()
        elif len(self._taken) >= self._most:
            raise QuintetError("busy", retry_after=RETRY_AFTER)
        self._taken[user_id] = place = Place(self, user_id)
        return place

    def leave(self, place: "Place", user_id: str) -> None:
        """It is over; harmless where another has its place."""
        if self._taken.get(user_id) is place:
            del self._taken[user_id]


class Place:
    """One of them."""

    def __init__(self, places: Places, user_id: str) -> None:
        self._places = places
        self._user_id = user_id
        self._over = False
        self._limit: asyncio.Timeout | None = None

    def cut(self) -> None:
        """End what is under way here."""
        self._over = True
        if self._limit is not None:
            self._limit.reschedule(0)

    def leave(self) -> None:
        """Give it back."""
        self._limit = None
        self._places.leave(self, self._user_id)

    def hold(self, limit: asyncio.Timeout) -> None:
        """What is cut from now on. Raises TimeoutError: it has been already."""
        if self._over:
            raise TimeoutError
        self._limit = limit


class Download(StreamingResponse):
    """The answer. `pieces` end early by raising QuintetError."""

    media_type = "application/json"

    def __init__(self, pieces: AsyncGenerator[bytes], place: Place, headers: Mapping[str, str]) -> None:
        super().__init__(pieces, headers=headers)
        self._pieces = pieces
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write it out."""
        transport = transport_of(scope)
        try:
            async with asyncio.timeout(LONGEST), asyncio.timeout(None) as limit:
                self._place.hold(limit)
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await self._write(send, limit, transport)
        except (TimeoutError, QuintetError) as cause:
            logger.warning("an export was cut: %s", cause.code if isinstance(cause, QuintetError) else "too slow")
            if transport is None:
                raise
            transport.abort()
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._place.leave()

    async def _write(self, send: Send, limit: asyncio.Timeout, transport: asyncio.Transport | None) -> None:
        clock, reserve = asyncio.get_running_loop().time, RESERVE
        async with aclosing(_blocks(self._pieces)) as blocks:
            async for block in blocks:
                self._place.hold(limit)
                if transport is not None and transport.is_closing():
                    return
                begun, allowed = clock(), reserve + len(block) / SLOWEST
                limit.reschedule(begun + allowed)
                await send({"type": "http.response.body", "body": block, "more_body": True})
                reserve = min(RESERVE, allowed - (clock() - begun))
                limit.reschedule(None)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _blocks(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    held = bytearray()
    async with aclosing(pieces):
        async for piece in pieces:
            held += piece
            for _ in range(len(held) // BLOCK):
                yield bytes(held[:BLOCK])
                del held[:BLOCK]
    if held:
        yield bytes(held)

"""One conversation with the server over as many sockets as it takes.

1. The client rule (protocol.md, section 3): an event is given on only if it is the next one; what was had is dropped; at a gap the log is
   followed again from where we are.
2. A request is repeated on every new socket until it is answered. All verbs bear that: `send` by its `client_id`, `cancel` by nature.
3. Between `follow` and its answer events belong to the earlier feed and are dropped.
4. A renewal that fails ends nothing: the server closes when the token has ended, and the next opening says what is wrong.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from quintet.client.door import Door, Trial
from quintet.client.faults import ClientError, LineLostError, RefusedError, UnansweredError, UnreachableError
from quintet.client.items import CaughtUp, Received, Resynced
from quintet.client.line import Heard, Line
from quintet.client.session import Access
from quintet.events import Event, decode
from quintet.protocol import FRAME_BYTES, ClientRule

__all__ = ["Conversation", "Item"]

Item = Received | CaughtUp | Resynced

_AT_ONCE = 16  # requests that wait for their answers; further ones wait for their turn
_RESTARTS = 5  # follows in a row without any event, after which the socket is not trusted
_NOTICE = 60.0  # before the end of an access token it is renewed, or at half of its life where that is shorter
_AGAIN = 2.0  # after a renewal that reached nobody
_encode = msgspec.json.Encoder().encode


class _Request:
    def __init__(self, frame: bytes) -> None:
        self.frame = frame
        self.answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()


class Conversation:
    """Events into `deliver`, requests out. `run` keeps it going; `applied` is what is acknowledged to the server."""

    def __init__(self, door: Door, after: str, deliver: Callable[[Item], Awaitable[None]]) -> None:
        """`after`: the cursor to begin at."""
        self.applied = after
        self.following = asyncio.Event()
        self._door = door
        self._cursor = after
        self._deliver = deliver
        self._rule: ClientRule | None = None
        self._asked: str | None = None
        self._restarts = 0
        self._ids = (str(number) for number in itertools.count(1))
        self._requests: dict[str, _Request] = {}
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._line: Line | None = None
        self._trial = Trial(door.patience)
        self._drained: float | None = None
        self._renew_at = asyncio.Event()
        self._expires = 0.0
        self._fault: ClientError | None = None

    # --- for the caller -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. Raises what ends the conversation for good: `SignedOutError`, `ClosedError`, `UnreachableError`, `WireError`."""
        try:
            while True:
                try:
                    await self._converse()
                except ClientError as fault:
                    wait, self._drained = self._drained, None
                    await self._trial.failed(fault, wait)
        except ClientError as fault:
            self._end(fault)
            raise
        except asyncio.CancelledError:
            self._end(ClientError("the client was closed"))
            raise

    @property
    def connected(self) -> bool:
        """Whether there is a socket at this moment."""
        return self._line is not None

    async def request(self, verb: str, fields: dict[str, Any], within: float) -> dict[str, Any]:
        """The answer to a verb.

        Raises:
            RefusedError: the server said no.
            UnansweredError: no answer within so many seconds.
            ClientError: what has ended the conversation.
        """
        number = next(self._ids)
        frame = _encode({"id": number, "do": verb, **fields})
        if len(frame) > FRAME_BYTES:
            raise RefusedError("too_long")
        try:
            async with asyncio.timeout(within), self._room:
                if self._fault is not None:
                    raise self._fault
                request = self._requests[number] = _Request(frame)
                await self._say(request)
                return await request.answer
        except TimeoutError:
            raise UnansweredError(f"`{verb}` was not answered within {within:.0f} s") from None
        finally:
            self._requests.pop(number, None)

    # --- one socket ---------------------------------------------------------------------------------------------------

    async def _converse(self) -> None:
        line, access = await self._door.open()
        renewal = asyncio.get_running_loop().create_task(self._keep_signed_in(line, access))
        try:
            self._expect_end(line.ready.expires_in)
            await self._follow(line)
            self._line = line
            for request in list(self._requests.values()):
                await line.say(request.frame)
            while True:
                frame, heard = await line.hear()
                await self._take(line, frame, heard)
        finally:
            self._line = None
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)
            await line.close()

    async def _say(self, request: _Request) -> None:
        """Now, if there is a socket; the next one gets it in any case."""
        if self._line is not None:
            with contextlib.suppress(ClientError):
                await self._line.say(request.frame)

    async def _take(self, line: Line, frame: bytes, heard: Heard) -> None:
        if heard.seq:
            await self._event(line, frame, heard)
            return
        match heard.type:
            case "following" if heard.id == self._asked:
                self._begin(heard)
            case "resync":
                await self._resync(line, frame, heard)
            case "caught_up" if self._asked is None:
                self._progress()
                await self._deliver(CaughtUp(heard.cursor))
            case "heartbeat":
                await line.tell("ack", cursor=self.applied)
            case "result" | "error":
                self._answered(frame, heard)
            case "auth_expiring":
                self._expect_end(heard.expires_in)
            case "draining" if isinstance(heard.after, float | int):
                self._drained = float(heard.after)
            case _:
                pass  # of a later version

    # --- the feed -----------------------------------------------------------------------------------------------------

    async def _follow(self, line: Line) -> None:
        self._restarts += 1
        if self._restarts > _RESTARTS:
            self._restarts = 0
            raise LineLostError("following leads nowhere")
        self._asked = f"follow {next(self._ids)}"
        await line.tell("follow", id=self._asked, after=self._cursor)

    def _begin(self, heard: Heard) -> None:
        self._asked = None
        if self._rule is None:
            self._rule = ClientRule(heard.last_seq)
            self._cursor = self.applied = str(heard.after)
        self.following.set()

    def _progress(self) -> None:
        self._restarts = 0
        self._trial.worked()

    async def _event(self, line: Line, frame: bytes, heard: Heard) -> None:
        if self._asked is not None or self._rule is None:
            return
        what = self._rule.judge(heard.seq, heard.first_seq)
        if what == "apply":
            self._progress()
            self._cursor = heard.cursor
            await self._deliver(Received(_event_in(frame), frame, heard.cursor))
        elif what == "refollow":
            await self._follow(line)

    async def _resync(self, line: Line, frame: bytes, heard: Heard) -> None:
        snapshot = await self._door.call("GET", "/v1/snapshot")
        cursor, last_seq = snapshot["cursor"], snapshot["last_seq"]
        self._rule, self._cursor, self.applied = ClientRule(last_seq), cursor, cursor
        await self._deliver(Resynced(heard.reason, cursor, last_seq, heard.first, snapshot, frame))
        await self._follow(line)

    # --- answers ------------------------------------------------------------------------------------------------------

    def _answered(self, frame: bytes, heard: Heard) -> None:
        if heard.type == "error" and heard.id is not None and heard.id == self._asked:
            raise LineLostError(f"following was refused: {heard.code}")
        request = self._requests.pop(heard.id or "", None)
        if request is None or request.answer.done():
            return
        if heard.type == "result":
            request.answer.set_result(msgspec.json.decode(frame))
        else:
            request.answer.set_exception(RefusedError(heard.code, heard.message, retry_after=heard.retry_after))

    def _end(self, fault: ClientError) -> None:
        self._fault = fault
        self.following.set()
        for request in self._requests.values():
            if not request.answer.done():
                request.answer.set_exception(fault)

    # --- renewal ------------------------------------------------------------------------------------------------------

    def _expect_end(self, seconds: float) -> None:
        self._expires = time.monotonic() + seconds
        self._renew_at.set()

    async def _keep_signed_in(self, line: Line, access: Access) -> None:
        while True:
            await self._until_due(access)
            try:
                access = await self._door.credentials.access(self._door.http, stale=access.token)
                number = next(self._ids)
                request = self._requests[number] = _Request(b"")
                try:
                    await line.tell("auth", id=number, token=access.token)
                    told = await request.answer
                finally:
                    self._requests.pop(number, None)
                self._expect_end(float(told["expires_in"]))
            except UnreachableError:
                await asyncio.sleep(_AGAIN)
            except ClientError:
                return

    async def _until_due(self, access: Access) -> None:
        """Sleep until the token is to be renewed; `auth_expiring` may change when that is."""
        while True:
            self._renew_at.clear()
            left = self._expires - time.monotonic()
            pause = left - min(_NOTICE, (access.life or 2 * _NOTICE) / 2)
            if pause <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._renew_at.wait()


def _event_in(frame: bytes) -> Event | None:
    try:
        return decode(frame)
    except msgspec.MsgspecError:
        return None

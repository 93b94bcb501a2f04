"""A socket: its state, its verbs, its limits and its clock.

1. It knows its user from admission on, by argument; nothing of a user is kept outside of it and its feed.
2. Its states are the table in `protocol`. Before admission there is exactly one verb, `auth`.
3. Verbs are executed one after another, in the order they came. No task lives while there is nothing to do.
4. Every refusal is an `error` frame with the verb's id; what was not expected is logged and said to be `internal`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from quintet import protocol
from quintet.delivery.config import Parts
from quintet.delivery.deadlines import Deadlines, Timed
from quintet.delivery.feed import Feed, Outlet
from quintet.delivery.inbound import Judge, Refused, read
from quintet.delivery.scopes import check_scopes
from quintet.errors import QuintetError
from quintet.protocol import ClientFrame, State
from quintet.scope import Identity

__all__ = ["Socket", "Wire"]

logger = logging.getLogger(__name__)


class Wire(Outlet, Timed, Protocol):
    """The connection under a socket."""

    def pause_reading(self) -> None:
        """Hear nothing for now."""

    def resume_reading(self) -> None:
        """Hear again."""


class Socket:
    """One conversation over a wire. Made at the upgrade; `stopped` when a close was sent, `lost` when the connection is gone."""

    __slots__ = (
        "_address", "_beating", "_deadlines", "_done_with", "_feed", "_greeted", "_head", "_inbox", "_judge", "_parts",
        "_state", "_user_id", "_wire", "_worker", "id",
    )  # fmt: skip

    def __init__(self, parts: Parts, wire: Wire, address: str | None) -> None:
        """`address` is the caller's, where it was counted as unauthenticated."""
        self.id = parts.sources.new_id("con")
        self._parts = parts
        self._wire = wire
        self._address = address
        self._state: State = protocol.step("opening", "upgraded")
        self._greeted = False  # a credential has come
        self._done_with = False  # a close is due as soon as what came before it is answered
        self._feed: Feed | None = None
        self._user_id: str | None = None
        self._inbox: list[ClientFrame | Refused] = []  # short, and empty nearly always
        self._worker: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._judge = Judge(parts.config, parts.sources.monotonic())
        self._head = ""  # the newest cursor known, for heartbeats while the store cannot tell
        self._deadlines = Deadlines(parts.config, parts.sources, wire, beat=self._begin_beat, notice=self._notify)

    # --- life ---------------------------------------------------------------------------------------------------------

    def begin(self, identity: Identity | None) -> None:
        """Start, with an identity or waiting for the first frame to bring a credential."""
        if identity is None:
            self._deadlines.admit_within(self._parts.config.auth_timeout, "auth_timeout")
            return
        self._greeted = True
        self._deadlines.admit_within(self._parts.config.check_timeout, "internal")
        self._work(partial(self._admit, identity))

    def stopped(self) -> None:
        """A close was sent: nothing goes out any more, nothing is executed any more."""
        if self._state in ("closing", "closed"):
            return
        self._state = protocol.step(self._state, "closing")
        self._inbox.clear()
        self._deadlines.stop()
        if self._feed is not None:
            self._feed.close()

    def lost(self) -> None:
        """The connection is gone, and with it everything that was made for it."""
        self.stopped()
        if self._state == "closed":
            return
        self._state = protocol.step(self._state, "lost")
        for task in (self._worker, self._beating):
            if task is not None:
                task.cancel()
        if self._address is not None:
            self._parts.connections.leave_address(self._address)
        if self._user_id is not None:
            self._parts.connections.leave_user(self._user_id)

    def drain(self, after: float) -> None:
        """Send the client elsewhere, after so many seconds."""
        if self._open:
            self._wire.write([protocol.draining(after)])
        self._wire.end("draining")

    @property
    def _open(self) -> bool:
        return self._state in ("ready", "following")

    # --- admission ----------------------------------------------------------------------------------------------------

    async def _authenticate(self, token: str) -> None:
        try:
            identity = await self._parts.authenticate(token)
        except QuintetError as refusal:
            self._wire.end("unauthenticated" if refusal.status == 401 else "internal")
            return
        await self._admit(identity)

    async def _admit(self, identity: Identity) -> None:
        connections, log = self._parts.connections, self._parts.log
        if self._state != "unauthenticated":
            return
        if not connections.take_user(identity.user_id):
            self._wire.end("connection_limit")
            return
        self._user_id = identity.user_id
        feed = self._feed = Feed(self._parts, identity, self._wire)
        if not await feed.confirm():  # a revocation before the registration has woken nobody
            return
        try:
            _, self._head = await log.head(identity.user_id)
        except QuintetError:
            self._wire.end("internal")
            return
        if self._state == "unauthenticated":
            self._welcome(identity)

    def _welcome(self, identity: Identity) -> None:
        self._state = protocol.step(self._state, "identified")
        if self._address is not None:
            self._parts.connections.leave_address(self._address)
            self._address = None
        rate, left = int(self._parts.config.frames_per_second), identity.expires_in(self._parts.sources.now_ms())
        who = (self.id, identity.user_id, identity.session_id)
        greeting = protocol.ready(*who, expires_in=left, head=self._head, rate=rate)
        self._wire.write([greeting])
        self._deadlines.admitted(identity)

    # --- what comes in ------------------------------------------------------------------------------------------------

    def message(self, payload: bytes) -> None:
        """A text message, whole and in UTF-8."""
        if not self._greeted:
            self._greet(payload)
            return
        if self._done_with:
            return
        item = self._judge.judge(payload, self._parts.sources.monotonic())
        self._done_with = isinstance(item, Refused) and item.then is not None
        if self._worker is None and self._at_once(item):
            return
        self._inbox.append(item)
        if self._worker is None:
            self._work()
        elif len(self._inbox) >= self._parts.config.waiting_frames and not self._deadlines.deaf:
            self._deadlines.deaf = True
            self._wire.pause_reading()

    def _at_once(self, item: ClientFrame | Refused) -> bool:
        """Answer what has nothing to wait for, without a task."""
        match item:
            case protocol.Ping():
                self._wire.write([protocol.pong(item.id)])
            case protocol.Ack():
                pass
            case Refused():
                self._tell(item)
            case _:
                return False
        return True

    def _tell(self, refused: Refused) -> None:
        self._parts.connections.counted[f"refused_{refused.error.code}"] += 1
        self._wire.write([protocol.error(refused.error, refused.id)])
        if refused.then is not None:
            self._wire.end(refused.then)

    def _greet(self, payload: bytes) -> None:
        frame = read(payload)
        if isinstance(frame, protocol.Auth):
            self._greeted = True
            self._deadlines.admit_within(self._parts.config.check_timeout, "internal")
            self._work(partial(self._authenticate, frame.token))
        else:
            self._wire.end("protocol")

    # --- verbs --------------------------------------------------------------------------------------------------------

    def _work(self, first: Callable[[], Awaitable[None]] | None = None) -> None:
        self._worker = asyncio.get_running_loop().create_task(self._execute_all(first))

    async def _execute_all(self, first: Callable[[], Awaitable[None]] | None) -> None:
        try:
            if first is not None:
                await first()
            while self._inbox and self._open:
                frame = self._inbox.pop(0)
                if self._deadlines.deaf and len(self._inbox) <= self._parts.config.waiting_frames // 2:
                    self._deadlines.hear_again()
                    self._wire.resume_reading()
                await self._execute(frame)
        except Exception:
            logger.exception("admitting a socket has failed: %s", self.id)
            self._wire.end("internal")
        finally:
            self._worker = None

    async def _execute(self, item: ClientFrame | Refused) -> None:
        feed = self._feed
        if self._at_once(item) or feed is None:
            return
        if feed.suspect and not await feed.confirm():
            return
        assert not isinstance(item, Refused)
        try:
            answer = await self._do(item, feed)
        except QuintetError as refusal:
            self._parts.connections.counted[f"refused_{refusal.code}"] += 1
            answer = protocol.error(refusal, item.id)
        except Exception:
            logger.exception("a verb has failed: %s %s", type(item).__name__, self.id)
            answer = protocol.error(QuintetError("internal"), item.id)
        if answer is not None:
            self._wire.write([answer])

    async def _do(self, frame: ClientFrame, feed: Feed) -> bytes | None:
        check_scopes(frame, me := feed.identity)
        match frame:
            case protocol.Follow():
                await self._follow(frame, feed)
            case protocol.SendMessage():
                return protocol.result(frame.id, await self._parts.submit(me.scope, frame.message))
            case protocol.Cancel():
                return protocol.result(frame.id, await self._parts.cancel(me.scope, frame.run_id))
            case protocol.Auth():
                return await self._renew(frame, feed)
        return None

    async def _follow(self, frame: protocol.Follow, feed: Feed) -> None:
        followed = await feed.follow(frame.after, frame.id)
        if self._open:
            self._state = protocol.step(self._state, "followed" if followed else "resynced")

    async def _renew(self, frame: protocol.Auth, feed: Feed) -> bytes | None:
        identity = await self._parts.authenticate(frame.token)
        known = feed.identity
        if (identity.user_id, identity.session_id) != (known.user_id, known.session_id):
            self._wire.end("identity_mismatch")
            return None
        feed.renew(identity)
        if self._open:
            self._deadlines.expect_expiry(identity)
        return protocol.result(frame.id, {"expires_in": identity.expires_in(self._parts.sources.now_ms())})

    def heard(self) -> None:
        """The peer has sent something."""
        self._deadlines.heard()

    def paused(self) -> None:
        """The peer takes less than we send."""
        self._deadlines.paused()

    def resumed(self) -> None:
        """The peer has taken nearly everything."""
        self._deadlines.resumed()
        if self._feed is not None:
            self._feed.wake()

    # --- what happens by itself ---------------------------------------------------------------------------------------

    def _notify(self) -> None:
        if self._feed is not None:
            self._wire.write([protocol.auth_expiring(self._feed.identity.expires_in(self._parts.sources.now_ms()))])

    def _begin_beat(self) -> None:
        if self._wire.writable and self._beating is None:
            self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def _beat(self) -> None:
        """A heartbeat goes out also while the store cannot tell the head; then with the last one known."""
        try:
            with contextlib.suppress(QuintetError, TimeoutError, LookupError):
                async with asyncio.timeout(self._parts.config.check_timeout):
                    _, self._head = await self._parts.log.head(self._user_id or "")
            self._wire.write([protocol.heartbeat(self._head)])
        finally:
            self._beating = None

"""One socket: opened, admitted, heard with a deadline, spoken to at the pace the server allows.

1. The token goes into the `Authorization` header, never into the address.
2. Whatever ends a socket is one of three: lost (another one may go on), signed out, or closed for good.
3. Silence for 60 s is the end: the server beats every 25 s.
"""

import asyncio
import contextlib
import time
from typing import Any

import msgspec
from msgspec import Struct
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from quintet.client.address import Address
from quintet.client.faults import (
    ClientError,
    ClosedError,
    LineLostError,
    SignedOutError,
    UnreachableError,
    WireError,
)
from quintet.client.http import reason_of, refusal_in
from quintet.protocol import FRAME_BYTES, SUBPROTOCOL

__all__ = ["Heard", "Line"]

SILENCE = 60.0
_OPENING = 10.0
_WRITING = 30.0
_CLOSING = 2.0
_SENT_AT_ONCE = 16  # of the 30 that the server takes at once; the rest is for acks and renewals
_SLACK = 4 * 1024  # room around an event of 64 KiB, should a later server need it
_CALM = 2.0  # after being closed for talking too much
_OURS_TO_BLAME = (1002, 1003, 1007, 1009)  # repeating what was wrong would be an endless loop


class Heard(Struct):
    """What of a frame is looked at before anything else. Events alone have a `seq`."""

    type: str
    seq: int = 0
    first_seq: int | None = None
    cursor: str = ""
    id: str | None = None
    after: str | float = ""
    last_seq: int = 0
    reason: str = ""
    first: str = ""
    head: str = ""
    expires_in: float = 0
    code: str = ""
    message: str = ""
    retry_after: int | None = None


_hear = msgspec.json.Decoder(Heard).decode
_encode = msgspec.json.Encoder().encode


class Line:
    """One admitted socket. Made by `open`; to be closed."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._pace = _Pace()
        self.ready = Heard("ready")

    @classmethod
    async def open(cls, address: Address, token: str) -> "Line":
        """A socket whose user the server knows.

        Raises:
            RefusedError: the server said no; 401 means that it does not take the token.
            ClosedError, SignedOutError: it closed the socket for good.
            UnreachableError, LineLostError: nobody answered, or not to the end.
            WireError: what answers there is no such server.
        """
        line = cls(await _upgraded(address, token))
        try:
            _, line.ready = await line._hear_within(_OPENING)
            if line.ready.type != "ready":
                raise WireError(f"the first frame is {line.ready.type!r}, not `ready`")
        except BaseException:
            await line.close()
            raise
        return line

    async def hear(self) -> tuple[bytes, Heard]:
        """The next frame as it came, and what it is.

        Raises:
            LineLostError: the socket is gone or was silent for too long.
            ClosedError, SignedOutError: the server closed it for good.
            WireError: it is no frame.
        """
        return await self._hear_within(SILENCE)

    async def say(self, frame: bytes) -> None:
        """Send a frame, later where there were too many. Raises as `hear` does."""
        await self._pace.turn()
        try:
            async with asyncio.timeout(_WRITING):
                await self._socket.send(frame, text=True)
        except ConnectionClosed as closed:
            raise _end(closed) from None
        except TimeoutError:
            raise LineLostError(f"nothing could be sent for {_WRITING:.0f} s") from None

    async def tell(self, verb: str, **fields: Any) -> None:
        """Send a verb. Raises as `hear` does."""
        await self.say(_encode({"do": verb, **fields}))

    async def close(self) -> None:
        """Say goodbye, without waiting long for an answer."""
        with contextlib.suppress(TimeoutError, WebSocketException, OSError):
            async with asyncio.timeout(_CLOSING):
                await self._socket.close()

    async def _hear_within(self, seconds: float) -> tuple[bytes, Heard]:
        try:
            async with asyncio.timeout(seconds):
                frame = await self._socket.recv(decode=False)
            return frame, _hear(frame)
        except TimeoutError:
            raise LineLostError(f"no sign of life for {seconds:.0f} s") from None
        except ConnectionClosed as closed:
            raise _end(closed) from None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise WireError("what was received is no frame") from None


class _Pace:
    """As many frames a second as the server takes, some at once."""

    def __init__(self, rate: float = 10.0) -> None:
        self._each = 1 / rate
        self._next = 0.0

    async def turn(self) -> None:
        now = time.monotonic()
        self._next = max(self._next + self._each, now)
        early = self._next - now - _SENT_AT_ONCE * self._each
        if early > 0:
            await asyncio.sleep(early)


async def _upgraded(address: Address, token: str) -> ClientConnection:
    try:
        return await connect(
            address.socket,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            additional_headers={"Authorization": f"Bearer {token}"},
            user_agent_header="quintet-client",
            compression=None,
            proxy=None if address.direct else True,
            open_timeout=_OPENING,
            close_timeout=_CLOSING,
            ping_interval=None,  # the server's heartbeat is the sign of life, in both directions
            max_size=FRAME_BYTES + _SLACK,
        )
    except InvalidStatus as refused:
        raise _refusal(refused) from None
    except (InvalidHandshake, OSError, EOFError, TimeoutError) as fault:
        raise UnreachableError(f"{address.url} does not answer ({_why(fault)})") from fault


def _why(fault: Exception) -> str:
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    return reason_of(fault) or str(fault) or type(fault).__name__


def _refusal(refused: InvalidStatus) -> ClientError:
    answer = refused.response
    kind, wait = answer.headers.get("content-type", ""), answer.headers.get("retry-after")
    return refusal_in(answer.status_code, kind, bytes(answer.body or b""), wait)


def _end(closed: ConnectionClosed) -> ClientError:
    """What a closed socket means (protocol.md, section 4)."""
    if closed.rcvd is None:
        return LineLostError("the connection was cut")
    number, reason = closed.rcvd.code, closed.rcvd.reason
    if number in (4500, 4501):
        return SignedOutError(reason if reason in ("unauthenticated", "session_revoked") else "unauthenticated")
    if 4500 <= number < 5000 or number in _OURS_TO_BLAME:
        return ClosedError(number, reason)
    return LineLostError(f"closed with {number} {reason}".rstrip(), retry_after=_CALM if number == 4005 else 0)

"""What becomes of a message before any of it is done: too often, badly formed, or a frame."""

from typing import NamedTuple

from quintet import protocol
from quintet.delivery.config import GatewayConfig
from quintet.delivery.limits import Bucket, Window
from quintet.errors import QuintetError
from quintet.protocol import BadFrameError, ClientFrame

__all__ = ["Judge", "Refused", "read"]

_WAIT = 1  # seconds after which a frame over the rate may be sent again


class Refused(NamedTuple):
    """A frame that is not executed. `then`: the reason of the close that follows its answer."""

    error: QuintetError
    id: str | None
    then: str | None


class Judge:
    """The rates of one socket."""

    __slots__ = ("_bad", "_bucket", "_refused")

    def __init__(self, config: GatewayConfig, now: float) -> None:
        self._bucket = Bucket(config.frames_per_second, config.burst, now)
        self._refused = Window(config.refusals, config.refusal_window)
        self._bad = Window(config.bad_frames, config.bad_window)

    def judge(self, payload: bytes, now: float) -> ClientFrame | Refused:
        """The frame, or why it is not executed. Its place among the others it keeps either way."""
        frame = read(payload)
        if not self._bucket.take(now):
            refusal = QuintetError("rate_limited", retry_after=_WAIT)
            return Refused(refusal, frame.id, "rate_limited" if self._refused.exceeded(now) else None)
        if isinstance(frame, BadFrameError):
            bad = frame.code == "bad_message" and self._bad.exceeded(now)
            return Refused(frame, frame.id, "protocol" if bad else None)
        return frame


def read(payload: bytes) -> ClientFrame | BadFrameError:
    """The frame in a message, or what is wrong with it."""
    try:
        return protocol.parse(payload)
    except BadFrameError as refusal:
        return refusal

"""What still runs while a call in C holds the interpreter's lock, so that no thread can look: clocks of the system.

- A timer of used processor time sends a signal, often, for a busy machine gives little of it. What looks at signals while it computes,
  such as `re`, is ended by its handler.
- For what does not, `faulthandler`, which needs no lock, writes where the threads stand to the terminal.
- Both belong to the project where it uses them itself.
"""

import faulthandler
import math
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

__all__ = ["Alarm"]

_RINGS: Final = 0.5  # seconds of processor time
_WRITES: Final = 3.0  # seconds after the limit: the guard's thread, where it can run, has ended the phase by then


class Alarm:
    """Set for one phase at a time. `rung` is called in the main thread; `tell` is where the threads are written to, None: nowhere."""

    def __init__(self, rung: Callable[[FrameType | None], None], tell: int | None) -> None:
        self._rung = rung
        self._tell = tell
        self._ours = False  # the signal
        self._asked = False

    def begin(self, limit: float) -> None:
        """Called by the thread that runs the tests."""
        if math.isinf(limit):
            return
        if self._takes():
            signal.setitimer(signal.ITIMER_PROF, max(_RINGS, limit / 4), _RINGS)
        if self._tell is not None:
            faulthandler.dump_traceback_later(limit + _WRITES, file=self._tell)

    def end(self) -> None:
        """Called by the same thread, or where a phase gets all the time it wants."""
        if self._ours and signal.getsignal(signal.SIGPROF) == self._rings:
            signal.setitimer(signal.ITIMER_PROF, 0.0)
        if self._tell is not None:
            faulthandler.cancel_dump_traceback_later()

    def close(self) -> None:
        """No more phases."""
        self.end()
        if self._ours and signal.getsignal(signal.SIGPROF) == self._rings:
            signal.signal(signal.SIGPROF, signal.SIG_IGN)  # one may be under way, and the default ends the process

    def _takes(self) -> bool:
        if not self._asked and threading.current_thread() is threading.main_thread():
            self._asked = True
            if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGPROF) in {signal.SIG_DFL, signal.SIG_IGN}:
                signal.signal(signal.SIGPROF, self._rings)
                signal.siginterrupt(signal.SIGPROF, False)  # calls in C that know nothing of it go on
                self._ours = True
        return self._ours and signal.getsignal(signal.SIGPROF) == self._rings

    def _rings(self, _number: int, frame: FrameType | None) -> None:
        __tracebackhide__ = True
        self._rung(frame)

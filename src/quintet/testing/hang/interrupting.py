"""A signal whose handler raises in the main thread: what a blocking call there understands.

- The handler is in place only while a phase is guarded, and what was there before is put back.
- The signal is one that nobody uses: a real-time signal where there are any, else SIGUSR2.
- Elsewhere (no signals, or tests not in the main thread) the exception is laid into the thread, which sees it between two bytecodes: a call
  that blocks in C is then not interrupted.
"""

import ctypes
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

__all__ = ["Interruption"]

_REAL_TIME: Final = 7  # above SIGRTMIN, whose first few are taken by thread libraries and init systems


class Interruption:
    """Raises in the thread that called `begin`, until `end`."""

    def __init__(self, fault: Callable[[], BaseException | None]) -> None:
        self._fault = fault
        self._thread = 0
        self._before: Any = None
        self._signal = _free_signal()

    def begin(self) -> None:
        """Called by the thread that may be interrupted later."""
        self._thread = threading.get_ident()
        if self._by_signal:
            self._before = signal.signal(self._signal, self._raise)

    def end(self) -> None:
        """Called by the same thread: nothing is raised from now on."""
        if self._by_signal and signal.getsignal(self._signal) == self._raise:
            signal.signal(self._signal, self._before if self._before is not None else signal.SIG_DFL)
        self._thread = 0

    def now(self) -> None:
        """Called by any other thread."""
        if not self._thread:
            return
        if self._by_signal:
            if (
                signal.getsignal(self._signal) == self._raise
            ):  # otherwise the test took it away, and the default would end the process
                signal.pthread_kill(self._thread, self._signal)
        elif (fault := self._fault()) is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(type(fault)))

    @property
    def _by_signal(self) -> bool:
        return self._signal != 0 and self._thread == threading.main_thread().ident

    def _raise(self, _number: int, _frame: FrameType | None) -> None:
        __tracebackhide__ = True
        fault = self._fault()
        if fault is not None:
            raise fault


def _free_signal() -> int:
    if hasattr(signal, "SIGRTMIN"):
        return int(signal.SIGRTMIN) + _REAL_TIME
    return int(getattr(signal, "SIGUSR2", 0)) if hasattr(signal, "pthread_kill") else 0

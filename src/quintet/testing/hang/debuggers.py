"""Whether somebody is looking: then nothing is a hang."""

import sys
from types import FrameType
from typing import Any, Final

__all__ = ["attached"]

_TRACERS: Final = ("pydevd", "bdb", "pdb", "debugpy", "_pydevd")


def attached(frame: FrameType | None) -> bool:
    """Whether a debugger traces this frame or one of its callers below pytest's, this thread, or the process.

    A coverage measurement is none. A session that is over leaves its mark on pytest's own frames, hence only those below.
    """
    while frame is not None and "pluggy" not in frame.f_code.co_filename:
        if _debugs(frame.f_trace):
            return True
        frame = frame.f_back
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None:
        return True
    debugpy: Any = sys.modules.get("debugpy")
    return _debugs(sys.gettrace()) or bool(debugpy and debugpy.is_client_connected())


def _debugs(tracer: Any) -> bool:
    if tracer is None:
        return False
    owner = getattr(tracer, "__self__", tracer)
    module = getattr(tracer, "__module__", None) or type(owner).__module__
    return any(str(one).startswith(_TRACERS) for one in (module, *(base.__module__ for base in type(owner).__mro__)))

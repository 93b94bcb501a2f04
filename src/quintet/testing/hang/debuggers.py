"""Whether somebody is looking: then nothing is a hang."""

import sys
from typing import Any, Final

__all__ = ["attached"]

_TRACERS: Final = ("pydevd", "bdb", "pdb", "debugpy", "_pydevd")


def attached() -> bool:
    """Whether a debugger traces or monitors this process. A coverage measurement does not count."""
    tracer: Any = sys.gettrace()
    module = getattr(tracer, "__module__", None) or type(tracer).__module__
    if tracer is not None and str(module).startswith(_TRACERS):
        return True
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None:
        return True
    debugpy: Any = sys.modules.get("debugpy")
    return bool(debugpy and debugpy.is_client_connected())

"""The machine a figure was taken on, and whether it was quiet."""

import os
import platform
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["QUIET", "facts", "file_limit", "warn_if_busy"]

QUIET = 0.7  # load average of one minute, beyond which wall-clock figures are not to be trusted
_BEFORE = round(os.getloadavg()[0], 2)  # at the end it would be the benchmark's own


def facts() -> dict[str, Any]:
    """What a reader of the figures must know."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": _BEFORE,
    }


def warn_if_busy() -> None:
    """Say the load average, and that figures suffer where it is high."""
    print(f"Load average of the last minute: {_BEFORE:.2f} on {os.cpu_count()} cores", file=sys.stderr)
    if _BEFORE > QUIET:
        print(
            f"WARNING: more than {QUIET}. Others are at work here: trust ratios within one run, not single figures.",
            file=sys.stderr,
        )


def file_limit(wanted: int) -> int:
    """Raise the limit of open files as far as may be; returns how many of `wanted` connections a process can have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    possible = min(wanted, soft - 256)
    if possible < wanted:
        print(f"Only {possible} of {wanted} connections: {soft} files may be open (ulimit -n)", file=sys.stderr)
    return possible


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()

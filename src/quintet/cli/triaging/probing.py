"""Tries out what a claim says, before it is called proven.

1. Nothing that was read is executed. A probe looks at a variable of the run, connects to a port of this machine, looks up a name without
   a dot, or asks the run's interpreter whether it can find a top-level package.
2. Bounds: a second each, ten together; what does not answer in time tells nothing.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from quintet.triage.probes import Answer, Probe

__all__ = ["answers"]

_EACH = 1.0
_TOGETHER = 10.0
_FIND = (
    "import importlib.util, json, sys\n"
    "print(json.dumps({n: importlib.util.find_spec(n) is not None for n in sys.argv[1:]}))"
)


def answers(
    probes: Sequence[Probe], environment: Mapping[str, str] | None = None, python: str | None = None
) -> list[Answer]:
    """What was seen, for each probe in time. `python` is the interpreter of the run, ours if not known."""
    until = time.monotonic() + _TOGETHER
    variables = os.environ if environment is None else environment
    modules = _modules([probe.subject for probe in probes if probe.kind == "module"], python or sys.executable)
    made = []
    for probe in probes:
        if time.monotonic() > until:
            break
        if probe.kind == "variable":
            made.append(_variable(probe, variables))
        elif probe.kind == "port":
            made.append(_port(probe))
        elif probe.kind == "host":
            made.append(_host(probe))
        elif probe.subject in modules:
            made.append(_module(probe, found=modules[probe.subject], python=python or sys.executable))
    return made


def _variable(probe: Probe, variables: Mapping[str, str]) -> Answer:
    """Whether it is set. Its value is never shown."""
    value = variables.get(probe.subject)
    state = "is not set" if value is None else "is set, and empty" if not value.strip() else "is set, and not empty"
    return Answer(probe, value is None or not value.strip(), f"{probe.subject} {state} in the environment of the run")


def _port(probe: Probe) -> Answer:
    host, _, port = probe.subject.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _EACH):
            return Answer(probe, False, f"{probe.subject} accepts a connection now")
    except ConnectionRefusedError:
        return Answer(probe, True, f"{probe.subject} refuses a connection: nothing listens there")
    except (OSError, OverflowError, ValueError):
        return Answer(probe, None, "")


def _host(probe: Probe) -> Answer:
    found: list[bool] = []

    def look_up() -> None:
        try:
            socket.getaddrinfo(probe.subject, None)
            found.append(True)
        except (OSError, UnicodeError):
            found.append(False)

    thread = threading.Thread(target=look_up, daemon=True)  # a resolver knows no timeout
    thread.start()
    thread.join(_EACH * 3)
    if not found:
        return Answer(probe, None, "")
    return Answer(
        probe, not found[0], f"the name {probe.subject} {'resolves' if found[0] else 'does not resolve'} here"
    )


def _modules(names: Sequence[str], python: str) -> dict[str, bool]:
    """Which of them the interpreter finds. Their code is not run: a top-level package is found without importing it."""
    if not names:
        return {}
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that ran the tests; the names are identifiers
            [python, "-c", _FIND, *names], capture_output=True, text=True, timeout=5 * _EACH, check=False
        )
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return {name: bool(there) for name, there in found.items()} if isinstance(found, dict) else {}


def _module(probe: Probe, *, found: bool, python: str) -> Answer:
    where = os.path.basename(python)  # noqa: PTH119 - only its name is shown
    return Answer(probe, not found, f"{where} {'finds' if found else 'does not find'} a package {probe.subject}")

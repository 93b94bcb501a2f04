"""What ends a pytest run before or beside its tests. JUnit has no place for most of these; only the console shows them."""

import re

from quintet.triage.console import Parts, banner
from quintet.triage.model import Entry, Raised
from quintet.triage.tracebacks import chain_of

# (name, what the line looks like). The first that fits a line names it.
_FAULTS = (
    ("UsageError", re.compile(r"^.{0,300}?(?:pytest|py\.test|__main__\.py): error: (.+)$")),
    ("UsageError", re.compile(r"^ERROR: (?!usage: )(.+)$")),
    ("ConftestImportFailure", re.compile(r"^((?:ImportError|.{0,80}?) ?while loading conftest '.+'\.?)$")),
    ("CrashError", re.compile(r"^(Fatal Python error: .+|Segmentation fault.*|Killed)$")),
    ("SystemExit", re.compile(r"^mainloop: caught unexpected (SystemExit)!?$")),
    ("Exit", re.compile(r"^!+ _pytest\.outcomes\.Exit: (.+?) !+$")),
    ("KeyboardInterrupt", re.compile(r"^!+ (KeyboardInterrupt) !+$")),
    (
        "CommandNotFound",
        re.compile(r"^(.{0,200}(?:pytest: command not found|No module named '?pytest'?|pytest: not found))$"),
    ),
)
_SERVICE_LOGS = "services of the test run are not ready"  # what the test kit says, with each service's last lines below
_NO_TESTS = re.compile(r"^(?:=+ )?no tests ran in ")


def faults(parts: Parts) -> list[Entry]:
    """The run's own failures, at most one of each kind, in the order of the text."""
    found: dict[str, Entry] = {}
    internal = [(at, line) for at, line in parts.outside if line.startswith("INTERNALERROR>")]
    if internal:
        lines = [line.removeprefix("INTERNALERROR>").removeprefix(" ") for _, line in internal]
        chain = chain_of(lines, internal[0][0])
        stopped = Raised(
            "InternalError",
            "INTERNALERROR: an exception in pytest or in one of its hooks ended the run",
            internal[0][0],
        )
        left = chain[-1].name in (
            "SystemExit",
            "Exit",
        )  # the module that is imported asked to leave; nothing in pytest failed
        found["SystemExit" if left else "INTERNALERROR"] = _session(
            chain if left else (*chain, stopped), internal[0][0]
        )
    for index, (at, line) in enumerate(parts.outside):
        for kind, pattern in _FAULTS:
            match = pattern.match(line) if kind not in found else None
            if match and not (kind == "CommandNotFound" and parts.ends):
                found[kind] = _session(_chain(parts, index, kind, match[1]), at)
                break
    return sorted(found.values(), key=lambda entry: entry.at) or _empty(parts)


def _session(chain: tuple[Raised, ...], at: int) -> Entry:
    return Entry("(session)", "error", "session", chain, at)


def _chain(parts: Parts, index: int, kind: str, message: str) -> tuple[Raised, ...]:
    at = parts.outside[index][0]
    if kind != "ConftestImportFailure" and not message.startswith(_SERVICE_LOGS):
        return (Raised(kind, message, at),)
    following = [line for _, line in parts.outside[index + 1 : index + 200]]
    below = chain_of(following, at + 1)
    return (*below, Raised(kind, message, at)) if below[0].exception else (Raised(kind, message, at),)


def _empty(parts: Parts) -> list[Entry]:
    """A run that collected nothing and says nothing else."""
    end = next((line for line in parts.ends if _NO_TESTS.match(line.text)), None)
    if end is None or parts.blocks or parts.summary or parts.counts.get("deselected"):
        return []
    return [_session((Raised("NoTests", "no tests ran", end.at),), end.at)]


def stray_traceback(text: str) -> list[Entry]:
    """A Python traceback pasted alone, as one entry, or nothing."""
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip() == "Traceback (most recent call last):"), None)
    if first is None:
        return []
    chain = chain_of([line for line in lines[first + 1 :] if not banner(line, "=")], first + 2)
    return [Entry("(traceback)", "error", "session", chain, first + 1)] if chain[-1].exception else []

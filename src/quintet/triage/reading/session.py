"""What ends a pytest run before or beside its tests. JUnit has no place for most of these; only the console shows them."""

import re
from collections.abc import Sequence

from quintet.triage.model import Entry, Frame, Raised
from quintet.triage.reading import launching
from quintet.triage.reading.console import Parts, banner
from quintet.triage.reading.tracebacks import chain_of, place_of
from quintet.triage.reading.waiting import STOP, waited

# (name, what the line looks like). The first that fits a line names it.
_PROGRESS = r"(?:\S{1,400}\.py(?:::\S{1,600})? [.FEsxXR]{0,400})?"  # of the test that was running, on the same line
_OF_OTHERS = re.compile(
    r"^\s*(not ok \d+ - .{1,200}|[✕✗✖] (?!\d+ problem).{1,200}|× .{1,200} \d+ ?ms|FAIL\s+\S{1,200}\.(?:test|spec)\.[cm]?[jt]sx?\b.{0,80}"
    r"|\d+ failing|--- FAIL: .{1,200})$"
)  # TAP, Jest, Vitest, Mocha, Go
_OTHERS_ERROR = re.compile(r"^\s*(?:error: ['\"]?|(?:\w*Error|Expected|message): )(.{3,200}?)['\"]?$")
_OTHERS_LINES = 25
_FAULTS = (
    *launching.FAULTS,
    ("RunTimedOut", re.compile(rf"^{_PROGRESS}(\++ Timeout \++)$")),
    ("OtherRunner", _OF_OTHERS),
    ("CoverageBelow", re.compile(r"^(FAIL Required test coverage of .{1,120}|ERROR: Coverage failure: .{1,120})$")),
    ("UsageError", re.compile(r"^.{0,300}?(?:pytest|py\.test|__main__\.py): error: (.+)$")),
    ("UsageError", re.compile(r"^ERROR: (?!usage: )(\S.*)$")),
    (
        "ConftestImportFailure",
        re.compile(r"^((?:ImportError|.{0,80}?) ?while loading (?:conftest '.+'|plugin \".+\")\.?)$"),
    ),
    ("CrashError", re.compile(rf"^{_PROGRESS}(Fatal Python error: .+|Segmentation fault.*|Killed)$")),
    ("SystemExit", re.compile(r"^mainloop: caught unexpected (SystemExit)!?$")),
    ("Exit", re.compile(r"^!+ _pytest\.outcomes\.Exit: (.+?) !+$")),
    ("KeyboardInterrupt", re.compile(r"^!+ (KeyboardInterrupt) !+$")),
)
SERVICES_OF_THE_KIT = (
    "services of the test run are not ready"  # what the test kit says, with each service's last lines below
)
_ONE_TEST = "from pytest-timeout."
_ONLY_BEFORE = frozenset({"UsageError", *(kind for kind, _ in launching.FAULTS)})
_OF_FAULTHANDLER = re.compile(r'^\s*File "([^"]{1,500})", line (\d{1,7}) in (.{1,300})$')
_STACK_LINES = 200
_FEW_LINES = 3
_THREAD = re.compile(r"^(?:Current thread|Thread) 0x[0-9a-fA-F]{1,16}\b.{0,80}\(most recent call first\):")
_ROOT = re.compile(r"^\s*(?:inifile|rootdir): ")
_LEFT = frozenset({"SystemExit", "Exit"})
_NO_TESTS = re.compile(r"^(?:=+ )?no tests ran in ")


_LAST_LINES = 200
_RUNNING = re.compile(r"^((?!FAILED|ERROR|PASSED)\S{1,400}\.py::\S{1,600})(?: |$)")


def faults(parts: Parts) -> list[Entry]:
    """The run's own failures, at most one of each kind, in the order of the text."""
    found: dict[str, Entry] = {}
    for index, (at, line) in enumerate(parts.outside):
        for kind, pattern in _FAULTS:
            match = pattern.match(line) if kind not in found else None
            if match and not _is_anothers(kind, line, parts):
                chain = _chain(parts, index, kind, match[1])
                name = _test_in(chain[0].frames, line) if kind == "RunTimedOut" else _running_at(parts, index, kind)
                found[kind] = _session(chain, at, name)
                break
    if any(kind in found for kind, _ in launching.FAULTS):
        found.pop("UsageError", None)  # more words of the same complaint
    internal = _internal(parts)
    if internal and not (internal.last.name.startswith("InternalError") and "SystemExit" in found):
        found["SystemExit" if internal.last.name in _LEFT else "INTERNALERROR"] = internal
    return (
        sorted(found.values(), key=lambda entry: entry.at)
        or _left_with(parts)
        or _empty(parts)
        or _waiting(parts)
        or _cancelled(parts)
    )


def _has_run(parts: Parts) -> bool:
    """Tests have results: then pytest did start, and a line of this form is somebody else's."""
    return bool(parts.counts or parts.seen or parts.blocks)


def _is_anothers(kind: str, line: str, parts: Parts) -> bool:
    """Words that are somebody else's, or that only follow: a low coverage says nothing beside tests that fail.

    `__main__.py` is the name of whatever was started by `python -m`; pytest's own usage stands beside its complaint.
    """
    if kind == "CoverageBelow":
        return not parts.ends or bool(parts.blocks or parts.counts.get("failed") or parts.counts.get("error"))
    if kind == "OtherRunner":  # beside a pytest that fails it is only more of the same job
        return not parts.ends or bool(parts.blocks or parts.counts.get("failed") or parts.counts.get("error"))
    if kind == "RunTimedOut":  # by a signal it ends one test only, and pytest goes on
        return bool(parts.ends) and any(_ONE_TEST in said for block in parts.blocks for said in block.lines)
    if kind not in _ONLY_BEFORE:
        return False
    if _has_run(parts) or launching.OF_THE_JOB.match(line):
        return True
    told = "__main__.py: error:" in line
    return told and not any("file_or_dir" in said or _ROOT.match(said) for _, said in parts.outside)


def _internal(parts: Parts) -> Entry | None:
    """What ended pytest from inside. A module that asks to leave while it is imported is no fault of pytest."""
    told = [(at, line) for at, line in parts.outside if line.startswith("INTERNALERROR>")]
    if not told:
        return None
    lines, at = [line.removeprefix("INTERNALERROR>").removeprefix(" ") for _, line in told], told[0][0]
    chain = chain_of(lines, at)
    if chain[-1].name in _LEFT:
        return _session(chain, at)
    kind = "InternalError" if _is_whole(lines, chain) else "InternalErrorPart"
    return _session((*chain, Raised(kind, told[0][1], at)), at)


def _is_whole(lines: Sequence[str], chain: Sequence[Raised]) -> bool:
    """The traceback from its first line to its exception. What began before the cut, or comes after it, may be another cause."""
    return lines[0].startswith("Traceback (most recent call last)") and all(raised.exception for raised in chain)


def _session(chain: tuple[Raised, ...], at: int, name: str = "") -> Entry:
    return Entry(name or "(session)", "error", "session", chain, at)


def _main_stack(lines: Sequence[str], first: int) -> tuple[Frame, ...]:
    """The stack of the main thread, as pytest-timeout writes it."""
    begin = next((at for at, line in enumerate(lines, 1) if "Stack of MainThread" in line), len(lines))
    return chain_of([*lines[begin : begin + _STACK_LINES], "E   Timeout"], first + begin)[-1].frames


def _test_in(frames: Sequence[Frame], line: str) -> str:
    """The test function of a stack. Its file as the line of progress names it, or by its name alone."""
    found = next((one for one in frames if one.place == "test" and one.function.startswith("test")), None)
    if found is None:
        return ""
    file, told = found.path.replace("\\", "/").rpartition("/")[2], line.partition(" ")[0].partition("::")[0]
    return f"{told if told.endswith(file) else file}::{found.function}"


def _running_at(parts: Parts, index: int, kind: str) -> str:
    """The test that a crash interrupted, where its line says so."""
    line = parts.outside[index][1] if kind == "CrashError" else ""
    found = _RUNNING.match(line)
    return found[1] if found else ""


def _stack(lines: Sequence[str], first: int) -> tuple[Frame, ...]:
    """The stack of the thread that crashed, as faulthandler wrote it, the deepest frame last."""
    frames: list[Frame] = []
    begin = next((at for at, line in enumerate(lines, 1) if line.startswith("Current thread ")), len(lines))
    for at, line in enumerate(lines[begin:], first + begin):
        found = _OF_FAULTHANDLER.match(line)
        if found:
            frames.append(Frame(found[1], int(found[2]), found[3], "", place_of(found[1]), at))
        elif frames:
            break
    return tuple(reversed(frames))


def _chain(parts: Parts, index: int, kind: str, message: str) -> tuple[Raised, ...]:
    at = parts.outside[index][0]
    if kind == "RunTimedOut":
        frames = _main_stack([line for _, line in parts.outside[index + 1 :]], at + 1)
        return (Raised(kind, message, at, frames),)
    if kind == "OtherRunner":
        return (Raised(kind, message + _others_error(parts.outside[index + 1 : index + _OTHERS_LINES]), at),)
    if kind == "CrashError":
        return (
            Raised(
                kind, message, at, _stack([line for _, line in parts.outside[index + 1 : index + _STACK_LINES]], at + 1)
            ),
        )
    if kind != "ConftestImportFailure" and not message.startswith(SERVICES_OF_THE_KIT):
        return (Raised(kind, message, at),)
    following = [line for _, line in parts.outside[index + 1 : index + 200]]
    below = chain_of(following, at + 1)
    return (*below, Raised(kind, message, at)) if below[0].exception else (Raised(kind, message, at),)


def _others_error(below: Sequence[tuple[int, str]]) -> str:
    """What the other runner tells of its failure, in the lines below it."""
    return next((f": {found[1]}" for _, line in below if (found := _OTHERS_ERROR.match(line))), "")


def _empty(parts: Parts) -> list[Entry]:
    """A run that collected nothing and says nothing else. Where its beginning is not there, what ended it may have been told before."""
    end = next((line for line in parts.ends if _NO_TESTS.match(line.text)), None)
    if end is None or parts.blocks or parts.summary or parts.counts.get("deselected"):
        return []
    kind = "NoTests" if parts.collected == 0 else "NoTestsPart"
    return [_session((Raised(kind, "no tests ran", end.at),), end.at)]


def _left_with(parts: Parts) -> list[Entry]:
    """A text of hardly more than one line: a module that left while it was imported (`sys.exit("…")`) leaves no more than its words."""
    said = [(at, line) for at, line in parts.outside if line.strip()]
    if not said or len(said) > _FEW_LINES or parts.header or _has_run(parts):
        return []
    told = next(((at, found[0]) for at, line in said if (found := launching.VARIABLE.match(line))), None)
    return [_session((Raised("LeftForVariable", told[1].strip(), told[0]),), told[0])] if told else []


def _waiting(parts: Parts) -> list[Entry]:
    """A run that ends in the middle of waiting for a service; where no test began, what was to start it waited."""
    told = None if parts.ends or parts.blocks else waited(parts.outside)
    if told is None:
        return []
    begun = (found[1] for _, line in reversed(parts.outside[-_LAST_LINES:]) if (found := _RUNNING.match(line)))
    return [_session((told,), told.at, next(begun, ""))]


def _cancelled(parts: Parts) -> list[Entry]:
    """A run without pytest's last line, in a log that says that it was stopped from outside. A log that was only cut off says nothing."""
    last = parts.outside[-_LAST_LINES:]
    told = next(((at, line) for at, line in reversed(last) if STOP.search(line[:1_000])), None)
    if told is None or parts.ends or not (parts.header or parts.collected or parts.seen):
        return []
    running = next((found[1] for _, line in reversed(last) if (found := _RUNNING.match(line))), "")
    words = f"{told[1].strip()[:200]}" + (f" (while {running} was running)" if running else "")
    raised = Raised("RunCancelled", words, told[0], _waiting_stack(parts))
    return [Entry(running or "(session)", "error", "session", (raised,), told[0])]


def _waiting_stack(parts: Parts) -> tuple[Frame, ...]:
    """Where the test stood when faulthandler looked (`faulthandler_timeout`), the last time, the deepest frame last."""
    stack: list[Frame] = []
    found: tuple[Frame, ...] = ()
    for at, line in parts.outside:
        if _THREAD.match(line):
            stack = []
        elif frame := _OF_FAULTHANDLER.match(line):
            stack.append(Frame(frame[1], int(frame[2]), frame[3], "", place_of(frame[1]), at))
            if stack[-1].place == "test" and stack[-1].function.startswith("test"):
                found = tuple(reversed(stack))
    return found


def stray_traceback(text: str) -> list[Entry]:
    """A Python traceback pasted alone, as one entry, or nothing."""
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if line.endswith("Traceback (most recent call last):")), None)
    if first is None:
        return []
    chain = chain_of([line for line in lines[first + 1 :] if not banner(line, "=")], first + 2)
    return [Entry("(traceback)", "error", "session", chain, first + 1)] if chain[-1].exception else []

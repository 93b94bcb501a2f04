"""The lines that pytest-reportlog writes, to a Run: one JSON object on each, also where the last one is cut off.

Rules: a test's outcome is that of its phases, as pytest counts them; a module that could not be collected is an entry; a test that began
and never ended is said to be missing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from quintet.triage.masking import mask
from quintet.triage.model import Entry, Line, Outcome, Phase, Run, Totals
from quintet.triage.reading.embedded import as_dict, as_list, entry_in

ENTRIES_LIMIT = 20_000
_PHASES: dict[str, Phase] = {"setup": "setup", "call": "call", "teardown": "teardown"}


def looks_like(text: str) -> bool:
    """True when the first object says of itself that it is a report's."""
    return text.lstrip()[:1] == "{" and '"$report_type"' in text[:20_000]


@dataclass(slots=True)
class _Seen:
    """What was read so far."""

    tests: dict[str, str] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    warnings: list[Line] = field(default_factory=list)
    header: list[Line] = field(default_factory=list)
    broken: int = 0
    finished: bool = False
    late: int = 0
    collected: int = 0


def read(text: str, source: str) -> Run:
    """The run in the log. Lines that are no JSON are counted and said."""
    seen = _Seen()
    for at, line in enumerate(text.split("\n"), 1):
        if line.strip():
            _take(seen, line, at)
    return Run(
        "reportlog",
        source,
        _totals(seen),
        tuple(seen.header),
        tuple(seen.entries),
        tuple(seen.warnings),
        tuple(_gaps(seen)),
    )


def _take(seen: _Seen, line: str, at: int) -> None:
    try:
        report = as_dict(json.loads(line))
    except (ValueError, RecursionError):
        seen.broken += 1
        return
    kind = report.get("$report_type")
    if kind == "TestReport":
        _test(seen, report, at)
    elif kind == "CollectReport" and report.get("outcome") == "failed":
        seen.collected += 1
        _add(seen, report, "collect", at)
    elif kind == "SessionFinish":
        seen.finished = True
    elif kind == "WarningMessage":
        where = f"{report.get('filename', '')}:{report.get('lineno', '')}"
        seen.warnings.append(
            Line(str(report.get("category", "Warning")), mask(str(report.get("message", "")))[:800], at, where)
        )
    elif "pytest_version" in report:
        seen.header.append(Line("platform", f"pytest-{str(report['pytest_version'])[:40]}", at))


def _test(seen: _Seen, report: Mapping[str, Any], at: int) -> None:
    name, phase, outcome = str(report.get("nodeid", "?")), str(report.get("when", "call")), str(report.get("outcome"))
    before = seen.tests.setdefault(name, "")
    if outcome == "failed":
        seen.late += phase == "teardown" and before in ("passed", "failed")
        seen.tests[name] = "failed" if phase == "call" else before or "error"
        _add(seen, report, _PHASES.get(phase, "call"), at)
    elif outcome == "skipped":
        seen.tests[name] = "skipped"
    elif phase == "call":
        seen.tests[name] = "passed"


def _add(seen: _Seen, report: Mapping[str, Any], phase: Phase, at: int) -> None:
    if len(seen.entries) < ENTRIES_LIMIT:
        outcome: Outcome = "failed" if phase == "call" else "error"
        text, message = "\n".join(_words(report.get("longrepr"))), _crash(report.get("longrepr"))
        name, captured = str(report.get("nodeid", "?")), tuple(_captured(report))
        seen.entries.append(entry_in(name, outcome, phase, text, message, at, captured))


def _captured(report: Mapping[str, Any]) -> Iterator[str]:
    """What the test printed and logged."""
    for section in as_list(report.get("sections")):
        if isinstance(section, list) and len(section) == 2 and str(section[0]).startswith("Captured "):
            yield str(section[1])


def _crash(shown: Any) -> str:
    return str(as_dict(as_dict(shown).get("reprcrash")).get("message", ""))


def _words(shown: Any) -> Iterator[str]:
    """The text that pytest would have printed for the failure."""
    if not isinstance(shown, dict):
        yield str(shown or "")
        return
    chain = as_list(shown.get("chain")) or [[shown.get("reprtraceback"), None, None]]
    for traceback, _, between in (one for one in chain if isinstance(one, list) and len(one) == 3):
        for entry in as_list(as_dict(traceback).get("reprentries")):
            yield from _entry(as_dict(as_dict(entry).get("data")))
        yield from [str(between), ""] if between else []


def _entry(data: Mapping[str, Any]) -> Iterator[str]:
    place, lines = as_dict(data.get("reprfileloc")), [str(line) for line in as_list(data.get("lines"))]
    where = f"{place.get('path')}:{place.get('lineno')}: {place.get('message')}" if place else ""
    if data.get("style") == "short":
        yield where
    yield from lines
    if data.get("style") != "short" and where:
        yield from ("", where, "")


def _totals(seen: _Seen) -> Totals:
    outcomes = list(seen.tests.values())
    failures = sum(1 for entry in seen.entries if entry.outcome == "failed")
    return Totals(
        len(outcomes) + seen.collected,
        outcomes.count("passed"),
        failures,
        len(seen.entries) - failures,
        outcomes.count("skipped"),
    )


def _gaps(seen: _Seen) -> Iterator[str]:
    if seen.broken:
        yield f"{seen.broken} line{'s' if seen.broken > 1 else ''} of the log could not be read, so entries may be missing."
    if not seen.finished:
        running = [name for name, outcome in seen.tests.items() if not outcome]
        last = f" while {running[-1][:200]} was running" if running else ""
        yield f"The log ends before the session's end{last}, so the totals are counted from what is there."

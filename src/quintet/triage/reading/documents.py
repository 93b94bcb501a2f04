"""Reports that are one JSON document (pytest-json-report, CTRF), to a Run.

Rules: the totals are the document's own; one that is cut off gives the tests that stand whole before the cut, and says so.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quintet.triage.masking import mask
from quintet.triage.model import Entry, Kind, Line, Outcome, Phase, Run, Totals
from quintet.triage.reading.embedded import as_dict, as_list, entry_in

ENTRIES_LIMIT = 20_000
_TESTS = re.compile(r'"tests"\s*:\s*\[')
_PHASES: tuple[Phase, ...] = ("setup", "call", "teardown")


def looks_like(text: str) -> bool:
    """True for a JSON document that holds tests."""
    head = text.lstrip()[:1] == "{" and bool(_TESTS.search(text))
    return head and ('"results"' in text or '"summary"' in text or '"nodeid"' in text)


def read(text: str, source: str) -> Run:
    """The run in the document."""
    data, fault = _loaded(text)
    lines = _Lines(text)
    results = data.get("results")
    if isinstance(results, dict):
        return _run(
            "ctrf", source, results, _ctrf_totals(as_dict(results.get("summary"))), _ctrf(results, lines), fault
        )
    return _run("json-report", source, data, _totals(as_dict(data.get("summary"))), _json_report(data, lines), fault)


def _run(
    kind: Kind, source: str, data: Mapping[str, Any], totals: Totals | None, entries: Iterator[Entry], fault: str
) -> Run:
    found = tuple(entry for entry, _ in zip(entries, range(ENTRIES_LIMIT), strict=False))
    gaps = (f"The JSON could not be read to its end ({fault}), so entries may be missing.",) if fault else ()
    return Run(kind, source, totals or _counted(data, found), (Line("totals", f"{kind} report", 1),), found, (), gaps)


def _loaded(text: str) -> tuple[dict[str, Any], str]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _salvaged(text), str(error)[:80]
    return as_dict(data), ""


def _salvaged(text: str) -> dict[str, Any]:
    """Whole test objects before the cut, and the summary if it stands before them."""
    decoder, tests = json.JSONDecoder(), []
    begin = _TESTS.search(text)
    at = begin.end() if begin else len(text)
    while at < len(text):
        at = next((n for n in range(at, min(len(text), at + 200)) if text[n] == "{"), len(text))
        try:
            test, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        tests.append(test)
    found: dict[str, Any] = {"tests": tests}
    summary = re.search(r'"summary"\s*:\s*(\{[^{}]{0,2000}\})', text)
    if summary:
        found["summary"] = json.loads(summary[1])
    return {"results": found} if '"results"' in text[: begin.start() if begin else 0] else found


class _Lines:
    """On which line of the document a test's name stands. Names are looked up in their order, so each search goes on from the last."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

    def again(self) -> "_Lines":
        """From the beginning."""
        return _Lines(self._text)

    def of(self, name: str) -> int:
        """The line of the name, or of the one before it where it is not found."""
        found = self._text.find(json.dumps(name), self._at)
        if found >= 0:
            self._line += self._text.count("\n", self._at, found)
            self._at = found
        return self._line


def _number(summary: Mapping[str, Any], *names: str) -> int:
    return sum(value for name in names if isinstance(value := summary.get(name), int))


def _totals(summary: Mapping[str, Any]) -> Totals | None:
    if not summary:
        return None
    tests = _number(summary, "total") or _number(summary, "collected")
    passed, failed = _number(summary, "passed"), _number(summary, "failed")
    return Totals(tests, passed, failed, _number(summary, "error", "errors"), _number(summary, "skipped"))


def _ctrf_totals(summary: Mapping[str, Any]) -> Totals | None:
    if not summary:
        return None
    passed, failed = _number(summary, "passed"), _number(summary, "failed")
    return Totals(_number(summary, "tests"), passed, failed, 0, _number(summary, "skipped", "pending"))


def _counted(data: Mapping[str, Any], entries: Sequence[Entry]) -> Totals:
    states = [str(as_dict(test).get("outcome") or as_dict(test).get("status")) for test in as_list(data.get("tests"))]
    failures = sum(1 for entry in entries if entry.outcome == "failed")
    return Totals(len(states), states.count("passed"), failures, len(entries) - failures, states.count("skipped"))


def _json_report(data: Mapping[str, Any], lines: _Lines) -> Iterator[Entry]:
    for one in map(as_dict, as_list(data.get("collectors"))):
        if one.get("outcome") == "failed":
            name = str(one.get("nodeid") or "(session)")
            yield entry_in(name, "error", "collect", str(one.get("longrepr", "")), "", lines.of(name))
    lines = lines.again()  # tests stand before the collectors or after them
    for test in map(as_dict, as_list(data.get("tests"))):
        name = str(test.get("nodeid", "?"))
        at = lines.of(name)
        for phase in _PHASES:
            part = as_dict(test.get(phase))
            if part.get("outcome") == "failed":
                outcome: Outcome = "failed" if phase == "call" else "error"
                crash = str(as_dict(part.get("crash")).get("message", ""))
                captured = [str(said) for key in ("stdout", "stderr") if (said := part.get(key))]
                yield entry_in(name, outcome, phase, str(part.get("longrepr", "")), crash, at, captured)


def _ctrf(results: Mapping[str, Any], lines: _Lines) -> Iterator[Entry]:
    for test in map(as_dict, as_list(results.get("tests"))):
        if test.get("status") != "failed":
            continue
        name = _name(test)
        at = lines.of(str(test.get("name", "")))
        raw = str(test.get("rawStatus") or test.get("raw_status") or "").lower()
        text, message = str(test.get("trace") or ""), str(test.get("message") or "")
        phase: Phase = (
            "setup" if raw.startswith(("setup", "error")) else "teardown" if raw.startswith("teardown") else "call"
        )
        yield entry_in(mask(name), "failed", phase, text, message, at)


def _name(test: Mapping[str, Any]) -> str:
    name, path = str(test.get("name", "?")), str(test.get("filePath") or test.get("file") or "")
    return name if "::" in name or not path else f"{path}::{name}"

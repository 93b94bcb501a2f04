"""The analysis as a CTRF report (Common Test Report Format, ctrf.io, schema 0.0.0): the failing entries, each with its cause.

The format wants times, and the analysis knows none: they are 0, so that the same run gives the same bytes.
"""

from typing import Any

from quintet.triage.facts import words_of
from quintet.triage.model import Analysis, Cause, Entry
from quintet.triage.normalise import shorten
from quintet.triage.reports.data import written
from quintet.triage.reports.text import plain

_TRACE = 2_000


def ctrf(analysis: Analysis) -> str:
    """A CTRF document. Passed tests are in its summary only: a run's report does not always name them."""
    totals = analysis.run.totals
    belongs = {member: cause for cause in analysis.causes for member in cause.members}
    tests = [_test(entry, belongs.get(number)) for number, entry in enumerate(analysis.run.entries)]
    counted = {
        "tests": totals.tests,
        "passed": totals.passed,
        "failed": totals.failures + totals.errors,
        "skipped": totals.skipped,
        "pending": 0,
        "other": 0,
        "start": 0,
        "stop": 0,
    }
    results = {"tool": {"name": "pytest"}, "summary": counted, "tests": tests}
    return written(
        {"reportFormat": "CTRF", "specVersion": "0.0.0", "generatedBy": "quintet triage", "results": results}
    )


def _test(entry: Entry, cause: Cause | None) -> dict[str, Any]:
    words = words_of(entry.last)
    test: dict[str, Any] = {
        "name": entry.name or "(no name)",
        "status": "failed",
        "duration": 0,
        "rawStatus": f"{entry.outcome} in {entry.phase}",
        "message": shorten(words, 400),
        "trace": words[:_TRACE],
    }
    path = entry.name.partition("::")[0]
    if path.endswith(".py"):
        test["filePath"] = path
    if cause:
        test["message"] = f"{plain(cause.statement)} ({cause.id}, {cause.certainty}) {test['message']}"
        test["tags"] = [cause.category, cause.certainty]
        test["extra"] = {"cause": cause.id, "category": cause.category, "certainty": cause.certainty} | {
            "fix": cause.fix,
            "verify": cause.verify,
        }
    return test

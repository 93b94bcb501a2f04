"""Several reports to one run.

Rules: reports that name the same failing tests, or give the same numbers, tell of one run, and each adds what the others lack; reports
with nothing in common (shards, the parts of a monorepo) are parts of one run and their numbers are added up; no entry counts twice; a log
beside reports tells what servers said, and adds no entry.
"""

from collections.abc import Sequence
from dataclasses import replace

from quintet.triage.model import Entry, Line, Run, Totals

_NUMBERS = ("tests", "passed", "failures", "errors", "skipped")
_RICHEST = ("console", "reportlog", "json-report", "junit", "ctrf", "unittest", "traceback", "nothing")


def merged(runs: Sequence[Run]) -> Run:
    """One run. The first report that holds anything gives the order of the entries; each entry keeps the report it is cited from."""
    reports = [run for run in runs if run.kind not in ("nothing", "traceback")]
    useful = reports or [run for run in runs if run.kind != "nothing"] or list(runs[:1])
    beside = tuple(one for run in runs if reports and run not in reports for one in run.logged)
    around = tuple(one for run in runs if reports and run not in reports for one in _from(run, run.around))
    if len(useful) == 1:
        signed = replace(_signed(useful[0]), logged=beside or useful[0].logged)
        return replace(signed, around=signed.around + around) if beside or around else useful[0]
    first, *others = sorted(map(_signed, useful), key=lambda run: _RICHEST.index(run.kind))
    for other in others:
        first = _joined(first, other)
    return replace(first, logged=beside or first.logged, around=first.around + around)


def _signed(run: Run) -> Run:
    return replace(
        run,
        header=_from(run, run.header),
        warnings=_from(run, run.warnings),
        around=_from(run, run.around),
        entries=tuple(replace(entry, source=run.source) for entry in run.entries),
    )


def _from(run: Run, lines: Sequence[Line]) -> tuple[Line, ...]:
    return tuple(replace(line, source=run.source) for line in lines)


def _joined(one: Run, other: Run) -> Run:
    same = _same_run(one, other)
    entries = _together(one.entries, other.entries) if same else one.entries + other.entries
    gaps = [] if same and len(entries) >= _failing(one.totals) else [*one.gaps, *other.gaps]
    return replace(
        one,
        source=f"{one.source}, {other.source}",
        totals=_agreed(one.totals, other.totals) if same else _sum(one.totals, other.totals),
        header=one.header + other.header,
        entries=entries,
        warnings=one.warnings or other.warnings,
        around=one.around + other.around,
        gaps=tuple(dict.fromkeys(gaps)),
    )


def _same_run(one: Run, other: Run) -> bool:
    """The same tests failed; or the same numbers, where one of them names no test; or one of them ended before its tests."""
    ours, theirs = _bare(one), _bare(other)
    if ours and theirs:
        return 2 * len(ours & theirs) >= min(len(ours), len(theirs)) or any(e.phase == "session" for e in one.entries)
    return _failing(one.totals) == _failing(other.totals) and one.totals.passed == other.totals.passed


def _bare(run: Run) -> set[str]:
    """The names of the failing tests without their paths, which every format writes in its own way."""
    return {_key(entry)[0].rpartition(".")[2] for entry in run.entries}


def _failing(totals: Totals) -> int:
    return totals.failures + totals.errors


def _key(entry: Entry) -> tuple[str, str]:
    """The test's own part of the name: the reports write its path differently."""
    path, marks, rest = entry.name.partition("::")
    stem = path.replace("\\", "/").replace("/", ".").removesuffix(".py")
    return (rest.replace("::", ".") if marks else stem.rpartition(".")[2], entry.phase if marks else "collect")


def _together(ours: Sequence[Entry], theirs: Sequence[Entry]) -> tuple[Entry, ...]:
    """Each entry once, from the report that shows more of it."""
    left: dict[tuple[str, str], list[Entry]] = {}
    for entry in theirs:
        left.setdefault(_key(entry), []).append(entry)
    chosen = []
    for entry in ours:
        rival = left[_key(entry)].pop(0) if left.get(_key(entry)) else None
        better = rival is not None and _shown(rival) > _shown(entry)
        chosen.append(replace(rival, name=entry.name) if rival is not None and better else entry)
    return (*chosen, *(entry for entries in left.values() for entry in entries))


def _shown(entry: Entry) -> int:
    return sum(len(raised.frames) + len(raised.message) for raised in entry.chain)


def _agreed(one: Totals, other: Totals) -> Totals:
    return Totals(*(max(getattr(one, name), getattr(other, name)) for name in _NUMBERS))


def _sum(one: Totals, other: Totals) -> Totals:
    return Totals(*(getattr(one, name) + getattr(other, name) for name in _NUMBERS))

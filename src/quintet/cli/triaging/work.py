"""The commands' work, from what was asked for to an exit code."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from quintet.triage import Analysis, decode, merged, read
from quintet.triage.ending import Ending, with_ending
from quintet.triage.examined import counts, examined
from quintet.triage.probes import probed, probes_of
from quintet.triage.reports import compare, difference_data, difference_markdown, explanation, written
from quintet.triage.reports.data import cause_data
from quintet.triage.reports.explanation import cause_named
from quintet.triage.reports.words import View

from . import examining, probing, reading, running, showing
from .ended import noted
from .formats import Format
from .progress import Progress, explained
from .reading import Report
from .wording import words_below

__all__ = ["CAUSES", "CLEAN", "MISUSE", "Wish", "diff", "from_files", "from_run"]

CLEAN, CAUSES, MISUSE = 0, 1, 2
_NOT_PROBED_SHOWN = 5
_NOTHING = """Nothing was found that is wrong with how this project's tests are configured, and no report of a run lies in it.
To have a run explained: quintet triage run -- pytest
"""


class Wish(NamedTuple):
    """What is to be shown, and where. `claim` is what is to be explained alone."""

    form: Format = "text"
    out: Path | None = None
    claim: str | None = None
    probe: bool = True
    python: str | None = None
    model: str | None = None
    seconds: float = 60


def guarded(work: Callable[[], int]) -> int:
    """The work's exit code; what a person can put right is one line and code 2."""
    try:
        return work()
    except (reading.Unreadable, running.NotStarted, showing.NotWritten) as wrong:
        showing.say(f"quintet triage: {wrong}")
        return MISUSE


def from_files(names: Sequence[str], wish: Wish) -> int:
    """Files of one run, or one folder."""
    if len(names) == 1 and names[0] != "-" and Path(names[0]).is_dir():
        return guarded(lambda: _folder(Path(names[0]), wish))
    return guarded(lambda: _finish(_explained(reading.reports(names), Progress()), wish, " ".join(names)))


def _explained(reports: Sequence[Report], progress: Progress, ending: Ending | None = None) -> Analysis:
    progress.step("reading")
    run = merged([read(report.text, report.name) for report in reports] or [read("")])
    analysis = explained(with_ending(run, ending) if ending else run, progress)
    progress.end()
    return analysis


def _folder(folder: Path, wish: Wish) -> int:
    """The project is examined, and the newest reports in it are read."""
    found = reading.found_in(folder)
    progress = Progress()
    analysis = _explained(found.reports, progress)
    for report in found.reports:
        showing.say(f"Found a report: {report.name}")
    if found.older:
        showing.say(f"{found.older} older reports were left alone; name them to have them read.")
    seen = examining.Seen([])
    try:
        seen = examining.seen(
            folder,
            probe=wish.probe,
            python=wish.python,
            seconds=wish.seconds,
            said=lambda words: progress.step(f"doctor: {words}"),
        )
    except examining.NoDoctor as missing:
        if not found.reports:
            raise reading.Unreadable(f"{missing} No report lies in {reading.shown(str(folder))}.") from None
        showing.say(str(missing))
    progress.end()
    for why in seen.not_probed[:_NOT_PROBED_SHOWN]:
        showing.say(f"Not probed: {reading.shown(why)}")
    analysis = examined(analysis, seen.findings)
    if wish.form == "text" and wish.claim is None and not analysis.causes and not found.reports:
        showing.to_file(_NOTHING, wish.out)
        return CLEAN
    return _finish(analysis, wish, str(folder))


def from_run(command: Sequence[str], seconds: float, wish: Wish) -> int:
    """Run the tests, then explain what was seen, with probes of what they ran in."""
    return guarded(lambda: _run(command, seconds, wish))


def _run(command: Sequence[str], seconds: float, wish: Wish) -> int:
    beside = wish.form != "text" and wish.out is None
    ran = running.run(command, seconds, sys.stderr.buffer if beside else sys.stdout.buffer)
    known = noted(ran)
    console = "\n".join(filter(None, [decode(ran.console), known.fault]))
    reports = [Report("console output", console)]
    if ran.journal:
        reports.append(Report("journal of the run", decode(ran.journal)))
    progress = Progress()
    analysis = _explained(reports, progress, known.ending(ran, seconds))
    if wish.probe:
        progress.step("trying out what the claims say")
        analysis = _tried(analysis, wish.python or known.python)
        progress.end()
    code = _finish(analysis, wish, "")
    return code if code != CLEAN or ran.code == 0 else CAUSES


def _tried(analysis: Analysis, python: str | None) -> Analysis:
    analysis = probed(analysis, probing.answers(probes_of(analysis), python=python))
    if not any(cause.category == "markers-config" for cause in analysis.causes):
        return analysis
    try:
        seen = examining.seen(Path.cwd(), probe=False, python=python)
    except examining.NoDoctor:
        return analysis
    return examined(analysis, seen.findings, own=False)


def _finish(analysis: Analysis, wish: Wish, names: str) -> int:
    if wish.claim is not None:
        return _explain(analysis, wish, wish.claim)
    showing.show(analysis, wish.form, wish.out, words_below(analysis, wish.form, wish.model, Progress()))
    if analysis.causes and names and wish.form == "text" and sys.stdout.isatty():
        showing.say(f"More: quintet triage --explain 1 {reading.shown(names)}")
    return CAUSES if any(map(counts, analysis.causes)) else CLEAN


def _explain(analysis: Analysis, wish: Wish, claim: str) -> int:
    made = explanation(analysis, claim)
    if made is None:
        known = ", ".join(cause.id for cause in analysis.causes[:20]) or "none: no cause was found"
        showing.say(f"quintet triage: nothing in this run is called {reading.shown(claim)}. Causes: {known}.")
        return MISUSE
    named = cause_named(analysis, claim)
    if wish.form == "json" and named:
        showing.to_file(written(cause_data(View.of(analysis), named[1])), wish.out)
    elif wish.form in ("text", "markdown"):
        showing.show_markdown(made, wish.form, wish.out)
    else:
        showing.say("quintet triage: a claim is explained as text or markdown, a cause also as json.")
        return MISUSE
    return CAUSES


def diff(before: str, after: str, wish: Wish) -> int:
    """What has changed from one run to another; 1 where something is new."""
    return guarded(lambda: _diff(before, after, wish))


def _diff(before: str, after: str, wish: Wish) -> int:
    if before == after == "-":
        raise reading.Unreadable("Only one of the two runs can come from standard input.")
    earlier, later = (_explained(_side(name), Progress()) for name in (before, after))
    told = compare(earlier, later)
    if wish.form == "json":
        showing.to_file(written(difference_data(told)), wish.out)
    elif wish.form in ("text", "markdown"):
        showing.show_markdown(difference_markdown(told), wish.form, wish.out)
    else:
        showing.say("quintet triage diff: the formats are text, markdown and json.")
        return MISUSE
    return CAUSES if told.worse else CLEAN


def _side(name: str) -> list[Report]:
    """A file, standard input, or a folder with the reports of one run."""
    folder = Path(name)
    if name == "-" or not folder.is_dir():
        return reading.reports([name])
    found = reading.found_in(folder).reports
    if not found:
        raise reading.Unreadable(f"No report of a test run lies in {os.fspath(folder)}.")
    return found

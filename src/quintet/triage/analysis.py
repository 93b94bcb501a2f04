"""The whole way, from text to result. The same text gives the same result, byte for byte."""

from collections.abc import Sequence

from quintet.triage.facts import build_case
from quintet.triage.judging.causes import causes_of, weigh
from quintet.triage.judging.commands import runner_of
from quintet.triage.judging.plan import metrics_of, plan_of, unknown_of
from quintet.triage.model import Analysis, Case, Findings, Run
from quintet.triage.reading.merge import merged
from quintet.triage.reading.read import read
from quintet.triage.specialists import SPECIALISTS


def analyse(text: str, source: str = "report") -> Analysis:
    """Read a report and explain it. `source` is the name under which facts cite it. Never raises on any text."""
    return explain(read(text, source))


def analyse_all(reports: Sequence[tuple[str, str]]) -> Analysis:
    """Several reports of one run (console and JUnit, or the parts of a sharded run), each as its name and its text, as one."""
    return explain(merged([read(text, source) for source, text in reports] or [read("")]))


def explain(run: Run) -> Analysis:
    """The analysis of what was read."""
    case = build_case(run)
    findings = Findings()
    for examine in SPECIALISTS.values():
        findings += examine(case, findings)
    return conclude(run, case, findings)


def conclude(run: Run, case: Case, findings: Findings) -> Analysis:
    """The supervisor's part: weigh what the specialists said, and plan."""
    claims, dropped = weigh(case, findings)
    causes = causes_of(case, claims, findings.challenges, [entry.name for entry in run.entries])
    return Analysis(
        run,
        case,
        causes,
        dropped,
        plan_of(causes),
        metrics_of(run, causes, runner_of(case)),
        unknown_of(run, causes, dropped),
        findings,
    )

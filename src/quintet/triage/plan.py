"""What to do, in which order, and how to see that it worked."""

from collections.abc import Sequence

from quintet.triage.causes import weight
from quintet.triage.commands import PYTEST, in_words_of
from quintet.triage.model import Cause, Metric, Run, Step
from quintet.triage.normalise import shorten

_FEW = 2


def plan_of(causes: Sequence[Cause]) -> tuple[Step, ...]:
    """One step per cause: tests blocked × certainty × upstreamness ÷ effort, highest first; bundles stay at the end."""
    steps = [_step(cause) for cause in causes]
    return tuple(sorted(steps, key=lambda step: -step.priority))


def _step(cause: Cause) -> Step:
    priority = round(weight(cause.category, cause.certainty, cause.blocks) / cause.effort, 2)
    return Step(cause.id, cause.fix, cause.blocks, cause.effort, priority, cause.owner, cause.verify)


def metrics_of(run: Run, causes: Sequence[Cause], runner: str = PYTEST) -> tuple[Metric, ...]:
    """What the next run should show."""
    failing = len(run.entries)
    if not failing:
        return ()
    again = in_words_of(runner, "pytest -q")
    metrics = [Metric("failing entries", failing, 0, again)]
    if causes:
        metrics.append(Metric("failing entries after the first step", failing, failing - causes[0].blocks, again))
    unread = sum(1 for entry in run.entries if entry.phase in ("collect", "session"))
    if unread:
        metrics.append(
            Metric("modules that cannot be collected", unread, 0, in_words_of(runner, "pytest --collect-only -q"))
        )
    return tuple(metrics)


def skipped_of(run: Run) -> list[str]:
    """That most of the tests were skipped: then a green run shows little, and hardly anybody looks."""
    totals = run.totals
    if totals.skipped < _FEW or 2 * totals.skipped < totals.tests:
        return []
    told = next((line for line in run.header if line.kind == "skipped"), None)
    reason = f", most of them with these words: `{shorten(told.subject, 160).replace('`', chr(39))}`" if told else ""
    return [f"{totals.skipped:,} of {totals.tests:,} tests were skipped{reason}. This run says nothing about them."]


def unknown_of(run: Run, causes: Sequence[Cause], dropped: Sequence[str]) -> tuple[str, ...]:
    """What this report does not tell."""
    said = [*(skipped_of(run) if run.entries else ()), *run.gaps]
    guesses = [cause.id for cause in causes if cause.certainty == "suspect"]
    if guesses:
        said.append(
            f"Only suspected, from words alone: {', '.join(guesses)}. A run of one such test with full tracebacks would tell."
        )
    if any(entry.phase in ("collect", "session") for entry in run.entries):
        said.append("Tests that could not be collected did not run: they may fail in other ways once they do.")
    return (*said, *dropped)

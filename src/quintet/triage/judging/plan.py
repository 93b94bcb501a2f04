"""What to do, in which order, and how to see that it worked."""

from collections.abc import Sequence

from quintet.triage.comparing.hollow import skipped_of
from quintet.triage.judging.causes import weight
from quintet.triage.judging.commands import PYTEST, in_words_of
from quintet.triage.model import Cause, Metric, Run, Step


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


def unknown_of(run: Run, causes: Sequence[Cause], dropped: Sequence[str]) -> tuple[str, ...]:
    """What this report does not tell."""
    said = [*(skipped_of(run) if run.entries else ()), *run.gaps]
    guesses = [cause.id for cause in causes if cause.certainty == "suspect"]
    if guesses:
        said.append(
            f"Only suspected, from words alone: {', '.join(guesses)}. A run of one such test with full tracebacks would tell."
        )
    if any(entry.phase in ("collect", "session") and entry.last.name != "OtherRunner" for entry in run.entries):
        said.append("Tests that could not be collected did not run: they may fail in other ways once they do.")
    return (*said, *dropped)

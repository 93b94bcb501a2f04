"""Running a Hypothesis state machine over a real store."""

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

__all__ = ["run_machine"]


def run_machine(made: Callable[[], RuleBasedStateMachine], *, examples: int, steps: int) -> None:
    """Run machines that `made` makes, each from the start; a failure prints how to see it again."""
    run_state_machine_as_test(
        made,  # type: ignore[arg-type]  # a maker of machines is as good as their class
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=[Phase.generate],  # shrinking over a real database outlasts the test's own deadline
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

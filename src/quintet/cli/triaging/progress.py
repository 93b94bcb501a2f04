"""What the team is doing, on standard error: a line that moves on a terminal, nothing at all in a pipe."""

import sys
from typing import TextIO

from quintet.triage import SPECIALISTS, Analysis, Findings, Run, build_case, conclude

__all__ = ["Progress", "explained"]

_ERASE = "\r\x1b[K"


class Progress:
    """Steps of one work. Nothing is said where nobody looks on."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stderr if out is None else out
        self._live = self._out.isatty()
        self._said: list[str] = []

    def step(self, words: str) -> None:
        """This is under way now."""
        if self._live:
            self._out.write(f"{_ERASE}\x1b[2m{words} …\x1b[0m")
            self._out.flush()

    def note(self, words: str) -> None:
        """This has come out."""
        self._said.append(words)

    def end(self) -> None:
        """All is done: one line tells what came out."""
        if self._live:
            self._out.write(f"{_ERASE}\x1b[2m{' · '.join(self._said)}\x1b[0m\n\n" if self._said else _ERASE)
            self._out.flush()
        self._said = []


def explained(run: Run, progress: Progress) -> Analysis:
    """The analysis of a run, one specialist after the other."""
    progress.step("grouping what failed alike")
    case = build_case(run)
    progress.note(f"{len(run.entries)} failing, {len(case.clusters)} groups")
    findings = Findings()
    for name, examine in SPECIALISTS.items():
        progress.step(f"{name} is looking for causes")
        said = examine(case, findings)
        findings += said
        doubts = f", {len(said.challenges)} doubts" if said.challenges else ""
        progress.note(f"{name.partition('-')[0]} {len(said.claims)}{doubts}")
    progress.step("weighing the claims")
    analysis = conclude(run, case, findings)
    progress.note(f"{len(analysis.causes)} left after weighing")
    return analysis

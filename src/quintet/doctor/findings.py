"""What a rule is, and what it finds.

1. A finding is certain where the rule is certain by construction (C) or a probe has shown it (P); everything else is suspect.
2. A rule of kind S cannot make a certain finding: only certain findings fail a build.
3. Values of variables never go into a statement; texts of other programs are masked before they do.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from quintet.triage.masking import mask

if TYPE_CHECKING:
    from .case import Case

__all__ = ["Certainty", "Finding", "Kind", "Rule", "rule"]

Certainty = Literal["certain", "suspect"]
Kind = Literal["C", "P", "S"]
"""C: certain by construction · P: certain only after its probe · S: suspect, worth a look."""

MOST_STATEMENT = 1_500


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or worth a look. `file` is relative to the examined folder, `line` counts from 1."""

    rule: str
    certainty: Certainty
    statement: str
    fix: str
    file: str | None = None
    line: int | None = None

    def as_json(self) -> dict[str, str | int]:
        """The finding as its published JSON object; `file` and `line` only where they are known."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Rule:
    """A number, how certain its findings can be, what it looks for, the usual fix, and the check itself."""

    number: str
    kind: Kind
    title: str
    fix: str
    check: "Callable[[Case, Rule], Iterable[Finding]]"

    def certain(
        self, statement: str, file: Path | str | None = None, line: int | None = None, *, fix: str = ""
    ) -> Finding:
        """A finding that may fail a build. Raises `ValueError` for a rule of kind S."""
        if self.kind == "S":
            raise ValueError(f"{self.number} can only suspect")
        return self._finding("certain", statement, file, line, fix)

    def suspect(
        self, statement: str, file: Path | str | None = None, line: int | None = None, *, fix: str = ""
    ) -> Finding:
        """A finding that is worth a look and never fails a build."""
        return self._finding("suspect", statement, file, line, fix)

    def either(
        self, sure: object, statement: str, file: Path | str | None = None, line: int | None = None, *, fix: str = ""
    ) -> Finding:
        """Certain where `sure` is true, else suspect."""
        return (self.certain if sure else self.suspect)(statement, file, line, fix=fix)

    def _finding(
        self, certainty: Certainty, statement: str, file: Path | str | None, line: int | None, fix: str
    ) -> Finding:
        place = file.as_posix() if isinstance(file, Path) else file
        return Finding(self.number, certainty, mask(statement[:MOST_STATEMENT]), fix or self.fix, place, line)


def rule(
    number: str, kind: Kind, title: str, *, fix: str
) -> "Callable[[Callable[[Case, Rule], Iterable[Finding]]], Rule]":
    """Makes a function that looks at a case into a rule."""

    def made(check: "Callable[[Case, Rule], Iterable[Finding]]") -> Rule:
        return Rule(number, kind, title, fix, check)

    return made

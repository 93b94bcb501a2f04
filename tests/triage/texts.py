"""Small texts in the shape of pytest's output, made by hand: what a test needs and nothing more."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from quintet.triage import Analysis, analyse
from quintet.triage.model import Cause

PLUGINS = "plugins: anyio-4.9.0, cov-6.0.0"


@dataclass
class Session:
    """A console text in the making."""

    header: list[str] = field(default_factory=lambda: ["platform linux -- Python 3.12.1, pytest-8.4.0", PLUGINS])
    errors: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    summary: list[str] = field(default_factory=list)
    failed: int = 0
    broken: int = 0
    passed: int = 0

    def fails(self, node: str, *lines: str) -> "Session":
        """A test that failed in its call."""
        self.failures += [f"____ {_title(node)} ____", *lines]
        self.summary.append(f"FAILED {node}")
        self.failed += 1
        return self

    def breaks(self, node: str, *lines: str, phase: str = "setup of") -> "Session":
        """An error at setup or teardown."""
        self.errors += [f"____ ERROR at {phase} {_title(node)} ____", *lines]
        self.summary.append(f"ERROR {node}")
        self.broken += 1
        return self

    def cannot_collect(self, path: str, *lines: str) -> "Session":
        """A module that could not be collected."""
        self.errors += [f"____ ERROR collecting {path} ____", *lines]
        self.summary.append(f"ERROR {path}")
        self.broken += 1
        return self

    @property
    def text(self) -> str:
        """What pytest would have printed."""
        counts = [(self.failed, "failed"), (self.passed, "passed"), (self.broken, "errors")]
        last = ", ".join(f"{number} {word}" for number, word in counts if number) + " in 0.12s"
        parts = [
            "===== test session starts =====",
            *self.header,
            f"collected {self.failed + self.passed + self.broken} items",
            *(["", "===== ERRORS =====", *self.errors] if self.errors else []),
            *(["===== FAILURES =====", *self.failures] if self.failures else []),
            *(["===== warnings summary =====", *self.warnings, ""] if self.warnings else []),
            "===== short test summary info =====",
            *self.summary,
            f"===== {last} =====",
        ]
        return "\n".join(parts) + "\n"

    def explained(self) -> Analysis:
        """The analysis of it."""
        return analyse(self.text, "run.txt")


def only_cause(analysis: Analysis) -> Cause:
    """The one cause that an analysis has."""
    assert len(analysis.causes) == 1, [cause.statement for cause in analysis.causes]
    return analysis.causes[0]


def categories(analysis: Analysis) -> list[str]:
    """The categories of the causes, in order."""
    return [cause.category for cause in analysis.causes]


def raised(path: str, line: int, code: str, error: str, function: str = "go") -> Sequence[str]:
    """A short traceback of one frame."""
    return (f"{path}:{line}: in {function}", f"    {code}", f"E   {error}")


def _title(node: str) -> str:
    return node.partition("::")[2].replace("::", ".")

"""What stops a start: settings that cannot be used, or a world that does not let the server begin.

Every one is a single line that ends with the way to fix it. No value of a setting ever goes into it.
"""

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["BAD_SETTINGS", "WRONG_USAGE", "Fault", "SettingsError", "StartError", "UnfitError"]

WRONG_USAGE = 2
BAD_SETTINGS = 78


class Fault(NamedTuple):
    """One problem: the variable or option it is about, what is wrong with it, and the way to fix it."""

    name: str
    what: str
    fix: str

    @property
    def line(self) -> str:
        """The problem on one line, ready for standard error."""
        return f"{self.name} {self.what}. {self.fix}"


class SettingsError(Exception):
    """All problems of one attempt to start. `exit_code` is 78, or 2 where only options of the command line are at fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(fault.line for fault in self.faults))

    @property
    def exit_code(self) -> int:
        """78 (bad settings), or 2 (wrong usage) where nothing but options is at fault."""
        return WRONG_USAGE if all(fault.name.startswith("--") for fault in self.faults) else BAD_SETTINGS


class StartError(Exception):
    """The settings are right and the start still cannot go on: a taken port, a database in use, a missing package.

    `what` is a sentence that begins with the thing, `fix` the sentence that says what to do; neither holds a secret.
    `exit_code` is 1, or 78 where a setting has to change.
    """

    def __init__(self, what: str, fix: str, *, exit_code: int = 1) -> None:
        self.what = what
        self.fix = fix
        self.exit_code = exit_code
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """The problem on one line, ready for standard error."""
        return f"{self.what}. {self.fix}"


class UnfitError(ValueError):
    """A value that a variable cannot take. Raised while a value is read; becomes a `Fault` with the variable's name."""

    def __init__(self, what: str, fix: str) -> None:
        self.what = what
        self.fix = fix
        super().__init__(what)

"""What the pytest that was asked for sabotage says to the one that runs a pass, and what it hears back."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = ["VARIABLE", "Order", "Outcome", "ordered", "outcomes"]

VARIABLE: Final = "PYTEST_QUINTET_SABOTAGE"


@dataclass(frozen=True)
class Order:
    """One pass. No defect: the plain one. `only`: these tests and no other."""

    out: str
    defect: str | None = None
    only: tuple[str, ...] | None = None
    patience: float = 0.0  # seconds of a step that names none; 0: as ever
    giver: int = 0  # the process that waits for the outcome

    def write(self, file: Path) -> None:
        """For the other process."""
        file.write_text(json.dumps(asdict(self)))


@dataclass(frozen=True)
class Outcome:
    """One test in one pass."""

    test: str
    outcome: str  # passed, failed, skipped; running: it never ended
    words: str = ""  # the first line of what failed
    seconds: float = 0.0
    messages: int = 0  # that passed the relay meanwhile
    met: Mapping[str, int] = field(default_factory=dict)  # how often each defect struck, or could have


def ordered() -> Order | None:
    """The order that this process was started with."""
    place = os.environ.get(VARIABLE)
    if not place:
        return None
    told: dict[str, Any] = json.loads(Path(place).read_text())
    only = told.pop("only")
    return Order(**told, only=None if only is None else tuple(only))


def outcomes(file: Path) -> list[Outcome]:
    """What a pass has told so far; a test that was begun and never ended is `running`."""
    found: dict[str, Outcome] = {}
    for line in file.read_text().splitlines() if file.exists() else []:
        told = Outcome(**json.loads(line))
        found[told.test] = told
    return list(found.values())

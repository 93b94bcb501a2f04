"""The planted defects, in the order in which they are tried."""

import pytest

from quintet.testing.sabotage.defects import credentials, delivery, forms, resuming, runs
from quintet.testing.sabotage.defects.defect import Defect, Late

__all__ = ["ALL", "Defect", "Late", "named"]

ALL: tuple[type[Defect], ...] = (
    delivery.EventLost,
    delivery.EventDoubled,
    delivery.EventsReordered,
    delivery.EventLate,
    delivery.SilentServer,
    delivery.CloseCodeChanged,
    runs.ToolUnpaired,
    runs.WrongCall,
    runs.NoEnding,
    runs.TwoEndings,
    runs.AfterTheEnding,
    forms.FieldDropped,
    forms.TypeChanged,
    forms.FieldNull,
    forms.TextChanged,
    credentials.WrongUser,
    credentials.TokenUnchecked,
    resuming.ResumeIgnored,
    resuming.ResumeRepeats,
)


def named(name: str) -> type[Defect]:
    """By its name. Raises `pytest.UsageError` with the names there are."""
    for defect in ALL:
        if defect.name == name:
            return defect
    raise pytest.UsageError(f"no defect {name!r}; there are: {', '.join(defect.name for defect in ALL)}")

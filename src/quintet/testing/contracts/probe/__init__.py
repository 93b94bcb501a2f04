"""`quintet contract`: a running backend is spoken to as its mapping says, and held to the contract of the five events."""

from .examination import Evidence, examine
from .line import LineError
from .plan import Plan
from .report import as_json, print_report
from .verdicts import Point, verdicts

__all__ = ["Evidence", "LineError", "Plan", "Point", "as_json", "examine", "print_report", "verdicts"]

"""An examination as JSON. The keys of a finding are published: rule, certainty, file, line, statement, fix."""

from typing import Any

from ..examination import Examination
from .table import table

__all__ = ["as_data"]


def as_data(found: Examination) -> dict[str, Any]:
    """An object that can be written as JSON; nothing in it depends on the time."""
    python = found.case.python
    return {
        "findings": [one.as_json() for one in found.findings],
        "matrix": [row._asdict() for row in table(found.case)],
        "not_probed": list(found.not_probed),
        "python": {"path": str(python.path), "origin": python.origin, "pytest": python.distributions.get("pytest")},
        "totals": {"certain": len(found.certain), "suspect": len(found.findings) - len(found.certain)},
    }

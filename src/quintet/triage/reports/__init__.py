"""The analysis as people and programs read it. Pure: the same analysis gives the same bytes."""

from collections.abc import Callable, Mapping

from quintet.triage.model import Analysis
from quintet.triage.reports.ctrf import ctrf
from quintet.triage.reports.data import as_data, as_json, written
from quintet.triage.reports.difference import Difference, compare, difference_data, difference_markdown
from quintet.triage.reports.explanation import explanation
from quintet.triage.reports.github import annotations, step_summary
from quintet.triage.reports.html import html
from quintet.triage.reports.junitxml import junitxml
from quintet.triage.reports.markdown import SIZE_LIMIT, markdown, sections
from quintet.triage.reports.text import text

__all__ = [
    "FORMATS",
    "SIZE_LIMIT",
    "Difference",
    "annotations",
    "as_data",
    "compare",
    "difference_data",
    "difference_markdown",
    "explanation",
    "markdown",
    "sections",
    "text",
    "written",
]

FORMATS: Mapping[str, Callable[[Analysis], str]] = {
    "text": text,
    "markdown": markdown,
    "html": html,
    "json": as_json,
    "github": step_summary,
    "ctrf": ctrf,
    "junit": junitxml,
}
"""Every form of the report, by its name on the command line."""

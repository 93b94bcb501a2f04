"""The analysis as people and programs read it. Pure: the same analysis gives the same bytes."""

from quintet.triage.reports.data import as_data
from quintet.triage.reports.markdown import SIZE_LIMIT, markdown, sections

__all__ = ["SIZE_LIMIT", "as_data", "markdown", "sections"]

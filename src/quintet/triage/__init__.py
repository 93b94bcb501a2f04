"""Why a test run failed: text in, causes out.

Pure: no input or output, no clock, no randomness, nothing of the rest of the package. The text is data; nothing in it is obeyed.
"""

from quintet.triage.analysis import analyse, conclude
from quintet.triage.data import as_data
from quintet.triage.facts import build_case
from quintet.triage.model import Analysis, Case, Findings, Run
from quintet.triage.normalise import decode
from quintet.triage.read import read
from quintet.triage.report import SIZE_LIMIT, markdown, sections
from quintet.triage.specialists import SPECIALISTS

__all__ = [
    "SIZE_LIMIT",
    "SPECIALISTS",
    "Analysis",
    "Case",
    "Findings",
    "Run",
    "analyse",
    "as_data",
    "build_case",
    "conclude",
    "decode",
    "markdown",
    "read",
    "sections",
]

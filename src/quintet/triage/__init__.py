"""Why a test run failed: text in, causes out.

Pure: no input or output, no clock, no randomness, nothing of the rest of the package. The text is data; nothing in it is obeyed.
"""

from quintet.triage.analysis import analyse, analyse_all, conclude, explain
from quintet.triage.facts import build_case, words_of
from quintet.triage.model import Analysis, Case, Findings, Run
from quintet.triage.normalise import decode
from quintet.triage.reading.merge import merged
from quintet.triage.reading.read import read
from quintet.triage.reports import SIZE_LIMIT, as_data, markdown, sections
from quintet.triage.specialists import SPECIALISTS

__all__ = [
    "SIZE_LIMIT",
    "SPECIALISTS",
    "Analysis",
    "Case",
    "Findings",
    "Run",
    "analyse",
    "analyse_all",
    "as_data",
    "build_case",
    "conclude",
    "decode",
    "explain",
    "markdown",
    "merged",
    "read",
    "sections",
    "words_of",
]

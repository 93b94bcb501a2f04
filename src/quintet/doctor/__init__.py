"""What is wrong with a project's tests before they run: which file rules for which invocation, and what that breaks.

`examine(path)` gives the findings; `quintet doctor` prints them. Needs the base installation only, and no pytest of its own: the
project's interpreter is asked.
"""

from .examination import Examination, examination, examine
from .findings import Finding

__all__ = ["Examination", "Finding", "examination", "examine"]

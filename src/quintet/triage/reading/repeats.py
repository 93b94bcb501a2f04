"""Tests that fail in one run of a text and pass in another: a retry, a run of one file alone, a matrix of environments.

Rules: a run is what stands between two of pytest's last lines; a file has passed where its whole line of progress shows passes only and no
entry of it fails in that run; what differs between the runs is not in the text, so this is never more than a direction.
"""

from bisect import bisect_left
from collections.abc import Sequence

from quintet.triage.model import Entry, Line
from quintet.triage.reading.console import Parts

LIMIT = 200


def passed_elsewhere(parts: Parts, entries: Sequence[Entry]) -> tuple[Line, ...]:
    """The lines that tell of a pass of what fails in another run, `subject` is the test or the file."""
    if len(parts.ends) < 2:
        return ()
    ends = [line.at for line in parts.ends]
    failing: dict[str, set[int]] = {}
    for entry in entries:
        for name in (entry.name, entry.name.partition("::")[0]):
            failing.setdefault(name, set()).add(bisect_left(ends, entry.at))
    found = [line for line in parts.passes if _elsewhere(failing.get(line.subject, set()), bisect_left(ends, line.at))]
    return tuple(found[:LIMIT])


def _elsewhere(failing: set[int], here: int) -> bool:
    return bool(failing) and here not in failing

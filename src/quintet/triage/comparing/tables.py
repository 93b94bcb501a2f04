"""A table that is not there, compared with those that the same run speaks of.

Rules: only what stands where SQL or a driver names a table counts; the two must be one name in two forms, or nearly so.
"""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from quintet.triage.model import Cluster

_TABLES = re.compile(
    r"(?i)\b(?:insert into|from|join|update|create table(?: if not exists)?|constraint failed:) [\"'`]?(?!select\b|set\b)([a-z_]\w{1,60})"
)
_NEAR = 0.8


def near_table(name: str, clusters: Iterable[Cluster]) -> str:
    """A table that the run names elsewhere and that is likely the one meant; nothing where there is none, or several."""
    wanted = name.rpartition(".")[2].lower()
    texts = (f"{one.first_message}\n{one.message}\n{one.code}\n{one.home_code}" for one in clusters)
    named = {found.lower() for text in texts for found in _TABLES.findall(text)} - {wanted}
    near = [one for one in sorted(named) if SequenceMatcher(None, wanted, one).ratio() >= _NEAR]
    return near[0] if len(near) == 1 else ""

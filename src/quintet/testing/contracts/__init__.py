"""Contracts of a stream of events: what one reader received, and checks that explain themselves when they fail.

A `Story` records frames; a `Mapping` tells where the type, the order, the user, the run and the call stand in them, so the checks hold
for any server. Nothing here needs pytest.
"""

from .mapping import Mapping, MappingError
from .record import FullError, Log, Record
from .seen import ENDINGS, FIVE, Seen
from .story import Story
from .timeline import timeline
from .violation import ContractViolation, violated

__all__ = [
    "ENDINGS",
    "FIVE",
    "ContractViolation",
    "FullError",
    "Log",
    "Mapping",
    "MappingError",
    "Record",
    "Seen",
    "Story",
    "timeline",
    "violated",
]

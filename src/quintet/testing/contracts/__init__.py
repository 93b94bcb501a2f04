"""Contracts of a stream of events: what one reader received, and checks that explain themselves when they fail.

A `Story` records frames; a `Mapping` tells where the type, the order, the user, the run and the call stand in them, so the checks hold
for any server. Each check is a function of a story and a method of it; it raises `ContractViolation`, with the timeline, or
`NotOfferedError` where the mapping gives it nothing to judge by. Nothing here needs pytest.
"""

from .arriving import silence, within
from .mapping import Mapping, MappingError
from .offered import NotOfferedError
from .ordering import no_gap, once, sequence
from .owning import isolated, only_user
from .pairing import closed, pairs
from .record import FullError, Log, Record
from .resuming import resumes_exactly
from .seen import ENDINGS, FIVE, Seen
from .shapes import schema
from .story import Story
from .texts import pieces
from .timeline import timeline
from .violation import ContractViolation, violated
from .wholeness import whole

__all__ = [
    "ENDINGS",
    "FIVE",
    "ContractViolation",
    "FullError",
    "Log",
    "Mapping",
    "MappingError",
    "NotOfferedError",
    "Record",
    "Seen",
    "Story",
    "closed",
    "isolated",
    "no_gap",
    "once",
    "only_user",
    "pairs",
    "pieces",
    "resumes_exactly",
    "schema",
    "sequence",
    "silence",
    "timeline",
    "violated",
    "whole",
    "within",
]

"""A run's life, as plain functions of a transaction: opening, leasing, cancelling, closing."""

from quintet.runs.closing import (
    Cancelled,
    Completed,
    Ended,
    Ending,
    Failed,
    cancel,
    cancelled,
    close,
    deleted,
    lose_all,
)
from quintet.runs.living import Orphan, beat, beats_in, bury, end_orphan, enrol, leave, orphans_in
from quintet.runs.opening import RUNNING_PER_USER, Leased, NewRun, announce, lease, open_run, promote, shortened
from quintet.runs.standing import Standing, standing_in
from quintet.runs.steps import OPEN, STEPS, Ids, Moment, moment

__all__ = [
    "OPEN",
    "RUNNING_PER_USER",
    "STEPS",
    "Cancelled",
    "Completed",
    "Ended",
    "Ending",
    "Failed",
    "Ids",
    "Leased",
    "Moment",
    "NewRun",
    "Orphan",
    "Standing",
    "announce",
    "beat",
    "beats_in",
    "bury",
    "cancel",
    "cancelled",
    "close",
    "deleted",
    "end_orphan",
    "enrol",
    "lease",
    "leave",
    "lose_all",
    "moment",
    "open_run",
    "orphans_in",
    "promote",
    "shortened",
    "standing_in",
]

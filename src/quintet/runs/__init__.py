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
    "Standing",
    "announce",
    "cancel",
    "cancelled",
    "close",
    "deleted",
    "lease",
    "lose_all",
    "moment",
    "open_run",
    "promote",
    "shortened",
    "standing_in",
]

"""How long what may take, in seconds of the scheduler's time."""

__all__ = ["HASTY", "LATE", "PROMPT", "REST"]

PROMPT = 0.05  # that an event is on its way where no wake-up was lost: it waits for steps, and for no timer
LATE = 5.0  # the promise, where some were
HASTY = 1e9  # nothing is known of time where it jumps
REST = 300.0  # until all must have ended

"""A check that cannot judge says so: it is never green by default."""

from .record import Record
from .violation import violated

__all__ = ["NotOfferedError", "something"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours


class NotOfferedError(LookupError):
    """The mapping does not tell a field without which a check can judge nothing."""

    def __init__(self, check: str, record: Record, *fields: str) -> None:
        told = " or ".join(f"`{name}`" for name in fields)
        super().__init__(f"{check} cannot judge: the mapping {record.mapping.name!r} does not tell {told} of a frame")
        self.check, self.fields = check, fields


def something(check: str, record: Record, *fields: str) -> None:
    """There are events, and the mapping tells one of `fields`; else a check would pass without having looked.

    Raises:
        NotOfferedError: the mapping tells none of the fields.
        ContractViolation: the story has no event.
    """
    if fields and not any(record.mapping.offers(name) for name in fields):
        raise NotOfferedError(check, record, *fields)
    if not any(seen.event for seen in record):
        violated(check, "no event was received, so there is nothing to judge", record)

"""What the triage team is given to read: the message, or a file that came with it."""

from quintet.engine import Turn
from quintet.triage import read

__all__ = ["REPORT_TYPES", "report_of"]

REPORT_TYPES = ("text/*", "application/xml", "application/json")
_LARGEST = 5_000_000  # bytes of a file that is looked at


async def report_of(turn: Turn) -> str:
    """The text with the most failures in it; the message itself where no file has more."""
    best, most = turn.text, len(read(turn.text, "message").entries) if turn.attachments else 0
    for file in turn.attachments:
        if file.size > _LARGEST:
            continue
        text = (await file.read()).decode(errors="replace")
        found = len(read(text, file.name).entries)
        if found > most:
            best, most = text, found
    return best

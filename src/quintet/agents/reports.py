"""What the triage team is given to read: the message, a file that came with it, or what an earlier message of the thread brought."""

from collections.abc import Sequence

from quintet.engine import Attachment, Turn
from quintet.triage import decode, read

__all__ = ["REPORT_TYPES", "earlier_report", "is_report", "report_of"]

REPORT_TYPES = ("text/*", "application/xml", "application/json")
_LARGEST = 5_000_000  # bytes of a file that is looked at
_EARLIER = 20  # messages that are looked at for a report, the newest first


async def report_of(turn: Turn) -> str:
    """The text with the most failures in it; the message itself where no file has more."""
    return await _best(turn.text, turn.attachments)


def is_report(text: str) -> bool:
    """True where the text is the output of a test run."""
    return read(text, "message").kind != "nothing"


async def earlier_report(turn: Turn) -> str:
    """The newest report that the person has sent before in this thread, or an empty text."""
    asked = [message for message in reversed(turn.history) if message.role == "user"]
    for message in asked[:_EARLIER]:
        text = await _best(message.text, message.attachments)
        if is_report(text):
            return text
    return ""


async def _best(message: str, files: Sequence[Attachment]) -> str:
    best, most = message, len(read(message, "message").entries) if files else 0
    for file in files:
        if file.size > _LARGEST:
            continue
        text = decode(await file.read())
        run = read(text, file.name)
        if len(run.entries) > most or (run.kind != "nothing" and not is_report(best)):
            best, most = text, len(run.entries)
    return best

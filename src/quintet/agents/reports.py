"""What the triage team is given to read: the message, a file that came with it, or what an earlier message of the thread brought."""

import asyncio
from collections.abc import Sequence

from quintet.engine import Attachment, Turn
from quintet.triage import Run, decode, read

__all__ = ["REPORT_TYPES", "earlier_report", "is_report", "report_of"]

REPORT_TYPES = ("text/*", "application/xml", "application/json")
_LARGEST = 5_000_000  # bytes of a file that is looked at
_EARLIER = 20  # messages that are looked at for a report, the newest first


async def report_of(turn: Turn) -> str:
    """The text with the most failures in it; the message itself where no file has more."""
    return await _best(turn.text, turn.attachments)


async def is_report(text: str) -> bool:
    """True where the text is the output of a test run."""
    return (await _read(text, "message")).kind != "nothing"


async def earlier_report(turn: Turn) -> str:
    """The newest report that the person has sent before in this thread, or an empty text."""
    asked = [message for message in reversed(turn.history) if message.role == "user"]
    for message in asked[:_EARLIER]:
        text = await _best(message.text, message.attachments)
        if await is_report(text):
            return text
    return ""


async def _best(message: str, files: Sequence[Attachment]) -> str:
    if not files:
        return message
    best, run = message, await _read(message, "message")
    for file in files:
        if file.size > _LARGEST:
            continue
        text = decode(await file.read())
        found = await _read(text, file.name)
        if len(found.entries) > len(run.entries) or (found.kind != "nothing" and run.kind == "nothing"):
            best, run = text, found
    return best


async def _read(text: str, source: str) -> Run:
    """In a thread: five megabytes take seconds, and whoever holds their loop for so long is stopped."""
    return await asyncio.to_thread(read, text, source)

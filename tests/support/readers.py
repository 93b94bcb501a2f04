"""Agents that read the files sent with a message: for the tests of a real server."""

import hashlib
import json
from typing import Any

from quintet import Turn, agent

__all__ = ["filer", "sync_filer"]


@agent(description="Tells what it was sent", attachments=("text/*", "application/xml"))
async def filer(turn: Turn) -> None:
    """Says name, type, size and digest of every file, as JSON."""
    await turn.say(json.dumps([_told(file, await file.read()) for file in turn.attachments]))


@agent(description="The same in a thread")
def sync_filer(turn: Any) -> None:
    """A plain function reads files, too."""
    turn.say(json.dumps([_told(file, file.read()) for file in turn.attachments]))


def _told(file: Any, content: bytes) -> list[Any]:
    return [file.name, file.media_type, file.size, hashlib.sha256(content).hexdigest()]

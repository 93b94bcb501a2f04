"""A file sent with a message, as an agent gets it: what it is at once, what is in it when that is asked for."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

__all__ = ["Attachment", "AttachmentRow", "ReadAttachment"]

ReadAttachment = Callable[[str, str], Awaitable[bytes]]
"""What is in a file, by its user and its id."""


class AttachmentRow(NamedTuple):
    """A file as it is known without what is in it. `size` is in bytes."""

    id: str
    name: str
    media_type: str
    size: int


class Attachment:
    """A file sent with the message. `media_type` is what its sender called it, without parameters; `size` is in bytes."""

    __slots__ = ("_read", "id", "media_type", "name", "size")

    def __init__(self, row: AttachmentRow, read: Callable[[], Awaitable[bytes]]) -> None:
        self.id, self.name, self.media_type, self.size = row
        self._read = read

    async def read(self) -> bytes:
        """What is in it.

        Raises:
            QuintetError: `not_found`, when its thread has been deleted meanwhile, or the store's.
        """
        return await self._read()

"""A message of a thread, as an agent sees it."""

from typing import NamedTuple

from quintet.engine.attachment import Attachment

__all__ = ["Message"]


class Message(NamedTuple):
    """`role` is `user` or `agent`, `agent` the root agent's name, `created_at` in milliseconds since 1970.

    `attachments` are the files that a user sent with it; in a plain function's history there are none.
    """

    id: str
    role: str
    text: str
    agent: str | None
    created_at: int
    attachments: tuple[Attachment, ...] = ()

"""A message of a thread, as an agent sees it."""

from typing import NamedTuple

__all__ = ["Message"]


class Message(NamedTuple):
    """`role` is `user` or `agent`, `agent` the root agent's name, `created_at` in milliseconds since 1970."""

    id: str
    role: str
    text: str
    agent: str | None
    created_at: int

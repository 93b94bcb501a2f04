"""Tells the absent by mail."""

from typing import Protocol


class Mailer(Protocol):
    async def send(self, user: str, text: str) -> None: ...


async def tell_absent(mailer: Mailer, users: list[str], text: str) -> int:
    for user in users:
        await mailer.send(user, text)
    return len(users)

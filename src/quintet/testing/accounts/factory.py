"""What the fixture `user_factory` gives: users at the server of the tests, or at another."""

from collections.abc import Callable
from typing import Any

from quintet.testing.accounts.account import Account, register, register_many

__all__ = ["UserFactory"]


class UserFactory:
    """Registers users. `server` gives the server of the tests, and is asked only where no other is named."""

    def __init__(self, server: Callable[[], Any]) -> None:
        self._server = server

    def __call__(self, server: Any = None, *, email: str | None = None, password: str | None = None) -> Account:
        """A new user. Raises `AccountError`."""
        return register(server or self._server(), email=email, password=password)

    def many(self, count: int, server: Any = None) -> list[Account]:
        """Several new users, registered at once."""
        return register_many(server or self._server(), count)

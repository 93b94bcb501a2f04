"""What the fixture `user_factory` gives: users at the server of the tests, or at another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from quintet.testing.accounts.account import Account, register, register_many
from quintet.testing.accounts.expiring import expired

__all__ = ["UserFactory"]


class UserFactory:
    """Registers users. `server` gives the server of the tests, and is asked only where no other is named.

    `folder` makes folders; `expired` keeps, for all tests of a run, the account of each server whose token has expired.
    """

    def __init__(self, server: Callable[[], Any], folder: Callable[[], Path], expired: dict[str, Account]) -> None:
        self._server = server
        self._folder = folder
        self._expired = expired

    def __call__(self, server: Any = None, *, email: str | None = None, password: str | None = None) -> Account:
        """A new user. Raises `AccountError`."""
        return register(server or self._server(), email=email, password=password)

    def many(self, count: int, server: Any = None) -> list[Account]:
        """Several new users, registered at once."""
        return register_many(server or self._server(), count)

    def expired(self, server: Any = None) -> Account:
        """A user whose access token has really expired; one for all tests of a run, made in a few seconds. Raises `AccountError`."""
        place = server or self._server()
        key = f"{place.url} {place.pid}"
        if key not in self._expired:
            self._expired[key] = expired(place, self._folder())
        return self._expired[key]

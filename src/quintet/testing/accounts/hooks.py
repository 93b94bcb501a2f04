"""The fixtures `user` and `user_factory`."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from quintet.testing.accounts.account import Account
    from quintet.testing.accounts.factory import UserFactory

__all__ = ["user", "user_factory"]


@pytest.fixture
def user_factory(request: pytest.FixtureRequest) -> "UserFactory":
    """Registers users over HTTP: at the fixture `server`, or at the one that is given."""
    from quintet.testing.accounts.factory import UserFactory

    return UserFactory(lambda: request.getfixturevalue("server"))


@pytest.fixture
def user(user_factory: "UserFactory") -> "Account":
    """A new user of the fixture `server`, signed in."""
    return user_factory()

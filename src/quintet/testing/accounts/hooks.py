"""The fixtures `user` and `user_factory`."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from quintet.testing.accounts.account import Account
    from quintet.testing.accounts.factory import UserFactory

__all__ = ["user", "user_factory"]


_EXPIRED: "pytest.StashKey[dict[str, Account]]" = pytest.StashKey()


@pytest.fixture
def user_factory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "UserFactory":
    """Registers users over HTTP, at the fixture `server` or at the one that is given; makes one whose token has expired."""
    from quintet.testing.accounts.factory import UserFactory

    return UserFactory(
        lambda: request.getfixturevalue("server"),
        lambda: tmp_path_factory.mktemp("twin"),
        request.config.stash.setdefault(_EXPIRED, {}),
    )


@pytest.fixture
def user(user_factory: "UserFactory") -> "Account":
    """A new user of the fixture `server`, signed in."""
    return user_factory()

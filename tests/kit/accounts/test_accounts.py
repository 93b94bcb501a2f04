"""Users are registered over HTTP; tokens that are wrong in every way open nothing, and an expired one has really expired."""

import time

import pytest

from quintet.testing.accounts.account import Account, AccountError
from quintet.testing.accounts.factory import UserFactory
from quintet.testing.accounts.tokens import claims
from quintet.testing.services.quintet import QuintetServer
from quintet.testing.sockets.connecting import Connect

pytestmark = pytest.mark.l3


async def test_an_expired_token_has_expired(server: QuintetServer, user_factory: UserFactory, connect: Connect) -> None:
    """Its signature, user and session are good, and it is refused for its time: by HTTP, by sockets, by streams. Made once a run."""
    old = user_factory.expired()
    assert claims(old.access_token)["exp"] < time.time()
    assert claims(old.access_token)["sub"] == old.id
    answer = old.http_now.get("/v1/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")
    refusal = await connect.refused(server, token=old)
    assert (refusal.status, b"token_expired" in refusal.body) == (401, True)
    assert user_factory.expired() is old
    good = old.renewed()
    assert good.http_now.get("/v1/auth/me").status_code == 200
    assert (await connect.device(server, good)).ready["user_id"] == old.id


def test_wrong_tokens_are_wrong_in_one_way_each(user: Account, user_factory: UserFactory) -> None:
    """None of them opens anything, while the one they are made from does; and another user's token is another user's."""
    tricks = user.wrong_tokens()
    assert len(tricks) == len(set(tricks.values())) >= 10
    with user.http_now as http:
        for trick, token in tricks.items():
            answer = http.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, trick
        assert http.get("/v1/auth/me").status_code == 200
    assert user_factory().http_now.get("/v1/auth/me").json()["id"] != user.id


def test_a_user_that_cannot_be_made_says_what_the_server_said(user: Account, user_factory: UserFactory) -> None:
    """With the answer and the end of the server's log."""
    with pytest.raises(AccountError, match=r"(?s)answered 409, not 201: .*email_taken.*--- the log of quintet"):
        user_factory(email=user.email)

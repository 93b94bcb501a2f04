"""A setting reaches the part it is about: what is written in the environment is what the part is built with."""

import pytest

from quintet.server import Server, values
from quintet.settings import Settings, StartError, load

pytestmark = pytest.mark.l1

SECRET = "0123456789abcdefghijklmnopqrstuvwxyz-ABCDEF"


def settings(**variables: str) -> Settings:
    """The settings of a production start with these variables."""
    base = {"QUINTET_SECRET_KEY": SECRET, "QUINTET_PUBLIC_URL": "https://chat.example.com"}
    return load({**base, **{f"QUINTET_{name}": text for name, text in variables.items()}})


def test_the_engine_gets_its_times_and_shares() -> None:
    """Runs, tools, draining, runs of a user."""
    limits = values.engine(settings(RUN_SECONDS="7", TOOL_SECONDS="3", DRAIN_SECONDS="2", RUNS_PER_USER="4"))
    assert (limits.run, limits.tool, limits.drain, limits.per_user) == (7, 3, 2, 4)


def test_accounts_get_the_lengths_of_passwords() -> None:
    """Shortest and longest."""
    config = values.accounts(settings(PASSWORD_MIN_CHARACTERS="20", PASSWORD_MAX_CHARACTERS="100"))
    assert (config.password_shortest, config.password_longest) == (20, 100)


@pytest.mark.parametrize(
    ("url", "port"), [("https://chat.example.com", 443), ("https://chat.example.com:8443", 8443), (None, None)]
)
def test_the_cookie_is_named_after_the_port_that_browsers_see(url: str | None, port: int | None) -> None:
    """The port of the public address; without one, that of the request."""
    told = settings(PUBLIC_URL=url) if url else settings().model_copy(update={"public_url": None})
    assert values.accounts(told).cookie_port == port


async def test_what_cannot_be_done_stops_the_start() -> None:
    """Confirming addresses is refused by name, with exit code 78, before anything is opened."""
    with pytest.raises(StartError, match="QUINTET_VERIFY_EMAIL") as refused:
        await Server(settings(VERIFY_EMAIL="on", SMTP_URL="smtps://u:p@mail.example:465")).start()
    assert refused.value.exit_code == 78

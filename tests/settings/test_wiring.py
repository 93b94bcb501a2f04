"""A setting reaches the part it is about: what is written in the environment is what the part is built with."""

from pathlib import Path

import pytest

from quintet.server import Server, values
from quintet.server.posting import sender_of
from quintet.settings import Options, Settings, StartError, load

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


async def test_a_file_of_known_passwords_that_is_none_stops_the_start(tmp_path: Path) -> None:
    """What is no sorted file of hashes is refused by name, with exit code 78: a rule that is not kept must not look kept."""
    (tmp_path / "words.txt").write_text("password\n123456\n")
    environment = {"QUINTET_PORT": "0", "QUINTET_BREACHED_PASSWORDS": str(tmp_path / "words.txt")}
    told = load(environment, options=Options(dev=True, data=tmp_path), make_secret=lambda _: SECRET)
    with pytest.raises(StartError, match="QUINTET_BREACHED_PASSWORDS") as refused:
        await Server(told).start()
    assert refused.value.exit_code == 78


@pytest.mark.parametrize(
    ("variables", "sender"),
    [
        ({}, "Quintet <quintet@chat.example.com>"),
        ({"MAIL_FROM": "Chat <chat@example.com>"}, "Chat <chat@example.com>"),
        ({"SMTP_URL": "smtp://robot%40example.com:x@mail.example"}, "Quintet <robot@example.com>"),
        ({"SMTP_URL": "smtp://robot:x@mail.example"}, "Quintet <quintet@chat.example.com>"),
    ],
)
def test_letters_have_a_sender(variables: dict[str, str], sender: str) -> None:
    """The one that is set, else the mail server's user where that is an address, else one at the public host."""
    assert sender_of(settings(**variables)) == sender

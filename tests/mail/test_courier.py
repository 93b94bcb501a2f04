"""The courier and the mail server: real ones, that are slow, refuse, lie or are not there."""

import asyncio
import logging
import ssl
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from quintet.accounts.letters import Courier, Letter, relay_of
from quintet.accounts.letters.courier import PAUSES
from quintet.server import posting
from quintet.sources import Sources
from quintet.testing import Mailbox
from support.secured import certified

pytestmark = pytest.mark.l2

LETTER = Letter("reset", "ada@example.com", "Hello", ("A token: ql_canary.",))
ELSEWHERE = "127.0.0.2"  # loopback, but not by any of its names: what is far away is treated so
SECONDS = 20


class Replies:
    """A mail server that gives these replies to letters, one after the other, then takes them; `seen` is what it was told."""

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.seen: list[Envelope] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's word
        """Answer the next."""
        await self.may_answer.wait()
        self.seen.append(envelope)
        return self.replies.pop(0) if self.replies else "250 kept"


@asynccontextmanager
async def serving(
    replies: Replies, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None, implicit: bool = False
) -> AsyncIterator[int]:
    """The port of a mail server."""

    def connection() -> SMTP:
        return SMTP(replies, hostname="localhost", tls_context=None if implicit else tls, enable_SMTPUTF8=True)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, host, port, ssl=tls if implicit else None)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def courier(url: str, pause: Callable[[float], Awaitable[None]] | None = None, most: int = 10) -> Courier:
    """A courier to this mail server, that does not wait long between tries unless told to."""
    return Courier(
        relay_of(url, "Quintet <q@example.com>", Sources()), pause=pause or (lambda _: asyncio.sleep(0)), most=most
    )


async def until_quiet(one: Courier) -> dict[str, int]:
    """What became of all letters; only what is not nothing."""
    async with asyncio.timeout(SECONDS):
        while one.waiting:
            await asyncio.sleep(0.01)
    return {what: count for what, count in one.told.items() if count}


@pytest.mark.parametrize(
    ("replies", "told"),
    [
        ((), {"sent": 1}),
        (("451 later",), {"sent": 1, "retried": 1}),
        (("554 no",), {"refused": 1}),
        (("421 busy",) * 6, {"retried": 5, "given_up": 1}),
    ],
)
async def test_a_letter_is_tried_again_where_that_may_help(replies: tuple[str, ...], told: dict[str, int]) -> None:
    """A reply of 4xx is tried again after growing pauses, five times; one of 5xx never; every outcome is counted."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    server = Replies(*replies)
    async with serving(server) as port:
        one = courier(f"smtp://127.0.0.1:{port}", pause)
        one.take(LETTER)
        assert await until_quiet(one) == told
    assert pauses == list(PAUSES[: told.get("retried", 0)])
    assert len(server.seen) == sum(told.values())


async def test_a_mail_server_that_is_away_is_waited_for(unused_tcp_port: int) -> None:
    """Nobody listens at first; the letter arrives once somebody does."""
    server, waiting, go = Replies(), asyncio.Event(), asyncio.Event()

    async def pause(_: float) -> None:
        waiting.set()
        await go.wait()

    one = courier(f"smtp://127.0.0.1:{unused_tcp_port}", pause)
    one.take(LETTER)
    async with asyncio.timeout(SECONDS):
        await waiting.wait()
    async with serving(server, port=unused_tcp_port):
        go.set()
        assert await until_quiet(one) == {"sent": 1, "retried": 1}


async def test_taking_never_waits_and_never_holds_more_than_its_bound() -> None:
    """While the mail server does not answer, letters are taken at once; over the bound they are lost, counted; then all others arrive."""
    server = Replies()
    server.may_answer.clear()
    async with serving(server) as port:
        one = courier(f"smtp://127.0.0.1:{port}", most=3)
        for _ in range(5):
            one.take(LETTER)
        assert (one.waiting, one.told["lost"]) == (3, 2)
        server.may_answer.set()
        assert await until_quiet(one) == {"sent": 3, "lost": 2}


async def test_a_stop_waits_for_a_moment_and_counts_what_it_drops() -> None:
    """What is on its way may arrive; a mail server that does not answer holds nobody up."""
    server = Replies()
    server.may_answer.clear()
    async with serving(server) as port:
        one = courier(f"smtp://127.0.0.1:{port}")
        one.take(LETTER)
        async with asyncio.timeout(SECONDS):
            await one.close(patience=0.2)
        assert (one.waiting, one.told["lost"]) == (0, 1)
        server.may_answer.set()


async def test_the_log_has_neither_address_nor_token(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever becomes of a letter, and whatever the mail server says back."""
    echo = "<ada@example.com> ql_canary"
    with caplog.at_level(logging.DEBUG, logger="quintet"):
        async with serving(Replies(f"451 {echo}", f"550 {echo}", f"250 {echo}")) as port:
            one = courier(f"smtp://127.0.0.1:{port}", most=1)
            one.take(LETTER)
            one.take(LETTER)
            await until_quiet(one)
            one.take(LETTER)
            await until_quiet(one)
    assert [record.levelname for record in caplog.records if record.name.startswith("quintet")] == [
        "ERROR",
        "WARNING",
        "ERROR",
    ]
    assert not [line for line in caplog.text.splitlines() if "quintet" in line and ("ada@" in line or "canary" in line)]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_over_a_network_a_letter_goes_under_tls_to_a_server_that_shows_who_it_is(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STARTTLS or TLS from the first byte; a certificate that nobody vouches for gets nothing."""
    context, certificate = certified(tmp_path, ELSEWHERE)
    server = Replies()
    async with serving(server, ELSEWHERE, tls=context, implicit=scheme == "smtps") as port:
        one = courier(f"{scheme}://{ELSEWHERE}:{port}")
        one.take(LETTER)
        assert await until_quiet(one) == {"retried": 5, "given_up": 1}
        assert server.seen == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        one.take(LETTER)
        assert (await until_quiet(one))["sent"] == 1
        assert [envelope.rcpt_tos for envelope in server.seen] == [["ada@example.com"]]


async def test_over_a_network_nothing_goes_in_the_clear() -> None:
    """A mail server without STARTTLS gets neither the password nor the letter."""
    server = Replies()
    async with serving(server, ELSEWHERE) as port:
        one = courier(f"smtp://user:hunter2@{ELSEWHERE}:{port}")
        one.take(LETTER)
        assert await until_quiet(one) == {"retried": 5, "given_up": 1}
    assert server.seen == []


async def test_a_user_and_a_password_are_used(mailbox: Mailbox) -> None:
    """As they stand in the URL, with their escapes; beside this machine without TLS too."""
    one = courier(f"smtp://robot%40example.com:a%2Fb@{mailbox.host}:{mailbox.port}")
    one.take(LETTER)
    assert await until_quiet(one) == {"sent": 1}
    assert (await mailbox.arrived("ada@example.com", "Hello")).sender == "q@example.com"
    relay = relay_of("smtps://robot%40example.com:a%2Fb@mail.example.com", "q@example.com", Sources())
    assert (relay.username, relay.password, relay.port, relay.tls) == ("robot@example.com", "a/b", 465, True)
    assert "a/b" not in repr(relay)


async def test_letters_of_development_are_its_owners_alone(tmp_path: Path) -> None:
    """Also in a data folder that everybody on the machine may look into: they hold what opens an account."""
    folder = tmp_path / "mail"
    folder.mkdir(mode=0o755)
    box = posting.Mailbox(folder, "Quintet <quintet@localhost>", Sources())
    try:
        await asyncio.wait_for(box.bring(LETTER), SECONDS)
    finally:
        await box.close()
    assert list(folder.iterdir())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700

"""What may be a password, and what is kept of it."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest

from quintet.accounts.passwords.breaches import Breaches
from quintet.accounts.passwords.passwords import Passwords, is_common, normalised
from quintet.accounts.passwords.pool import BoundedPool
from quintet.errors import QuintetError
from quintet.sources import Sources

pytestmark = pytest.mark.l1


@pytest.fixture
def pool() -> Iterator[BoundedPool]:
    made = BoundedPool(2, 4, 5.0)
    yield made
    made.close()


@pytest.fixture
def passwords(pool: BoundedPool) -> Passwords:
    return Passwords(pool, Sources(), rounds=1, kib=8)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password_too_short"),
        ("fourteen chars", "password_too_short"),
        ("ﬃ" * 4, "password_too_short"),
        ("x7" * 129, "password_too_long"),
        ("ﬃ" * 86, "password_too_long"),
        ("x" * 200_000, "password_too_long"),
        ("violet anchor \0 marmalade", "password_invalid"),
        ("violet anchor \ud800 marmalade", "password_invalid"),
        ("123456789012345", "password_common"),
        ("passwordpassword", "password_common"),
        ("qwertyuiopasdfgh", "password_common"),
        ("aaaaaaaaaaaaaaaa", "password_common"),
        ("a" * 256, "password_common"),
        ("password" * 32, "password_common"),
        ("P@ssw0rdP@ssw0rd", "password_common"),
        ("ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ", "password_common"),
        ("iloveyouiloveyou", "password_common"),
    ],
)
async def test_a_password_is_refused_by_its_rule(passwords: Passwords, password: str, code: str) -> None:
    """Too short, too long, too easy, or with a character that cannot be kept: each has its own code."""
    with pytest.raises(QuintetError) as refused:
        await passwords.check(password)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "a perfectly fine passphrase",
        "Tr0ub4dor&3-longer",
        "fifteen chars ä",
        "春天的风吹过安静的山谷和小河流",
        "🦊🐢 ночь ürün 42 kiwi",
        " leading and trailing spaces ",
        "violet anchor 77 marmalade " * 9,
        "aaaaaaaaaaaaaaaaaaaaaaaa then something nobody says",
    ],
)
async def test_a_good_passphrase_is_accepted(passwords: Passwords, password: str) -> None:
    """Length is what counts: no class of character is asked for, any language will do, spaces are kept."""
    assert await passwords.check(password) == normalised(password)


async def test_the_same_keys_are_the_same_password(passwords: Passwords) -> None:
    """A composed and a decomposed accent, a wide and a narrow letter are one password (NFKC)."""
    stored = await passwords.hash(await passwords.check("café violet anchor ＡＢ"))
    assert await passwords.fits(stored, normalised("cafe\u0301 violet anchor AB"))
    assert not await passwords.fits(stored, normalised("cafe violet anchor AB"))


async def test_what_is_kept_is_salted_argon2id(passwords: Passwords) -> None:
    """Two hashes of one password differ, and neither contains it."""
    one, two = [await passwords.hash("violet anchor 77") for _ in range(2)]
    assert one.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert one != two
    assert "violet" not in one


async def test_nobody_has_a_password(passwords: Passwords) -> None:
    """An unknown user's password never fits, and a damaged hash fits nothing."""
    for stored in (None, "", "$argon2id$", "plain"):
        assert not await passwords.fits(stored, "violet anchor 77")


async def test_the_dummy_costs_what_a_real_hash_costs(pool: BoundedPool) -> None:
    """The time of a sign-in does not tell whether there is such a user."""
    costly = Passwords(pool, Sources(), rounds=2, kib=32 * 1024)
    stored = await costly.hash("violet anchor 77")

    async def fastest(known: str | None) -> float:
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            await costly.fits(known, "another password of somebody")
            times.append(time.perf_counter() - begun)
        return min(times)

    real, dummy = await fastest(stored), await fastest(None)
    assert 0.5 < dummy / real < 2, f"a real hash took {real:.4f} s, the dummy {dummy:.4f} s"


@pytest.mark.parametrize(
    "password", ["!$%(+0123456789<@[{|" * 13, "4@3!1|0$5+7%2(8{6[9<" * 12, "1/1/1991" * 32, "x" * 256]
)
def test_the_check_for_common_ones_is_bounded(password: str) -> None:
    """What an attacker sends costs no more than a few hashes: the whole 256 characters would cost minutes."""
    begun = time.thread_time()
    is_common(password[:256])
    assert time.thread_time() - begun < 3


async def test_the_pool_refuses_what_it_cannot_hold() -> None:
    """So many at work, so many waiting, and everybody else hears `busy` at once with a time to come back."""
    pool = BoundedPool(1, 2, 5.0)
    begun = time.monotonic()
    answers = await asyncio.gather(*(pool.run(time.sleep, 0.1) for _ in range(10)), return_exceptions=True)
    refusals = [answer for answer in answers if isinstance(answer, QuintetError)]
    assert len(refusals) == 7
    assert {(refusal.code, refusal.retry_after) for refusal in refusals} == {("busy", 2)}
    assert time.monotonic() - begun < 2
    assert await pool.run(int, "7") == 7
    pool.close()


async def test_the_pool_makes_nobody_wait_for_long() -> None:
    """Past its time a caller hears `busy`; its place is free when the work has really ended, not before."""
    pool = BoundedPool(1, 0, 0.05)
    with pytest.raises(QuintetError, match="busy"):
        await pool.run(time.sleep, 0.4)
    with pytest.raises(QuintetError, match="busy"):
        await pool.run(int, "7")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            assert await pool.run(int, "7") == 7
            break
        except QuintetError:
            await asyncio.sleep(0.02)
    else:
        raise AssertionError("the place was never given back")
    pool.close()


async def test_a_caller_who_leaves_frees_a_place_that_only_waited() -> None:
    """A cancelled request does not keep its place in the queue."""
    pool = BoundedPool(1, 1, 5.0)
    working = asyncio.ensure_future(pool.run(time.sleep, 0.2))
    waiting = asyncio.ensure_future(pool.run(int, "1"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await pool.run(int, "7") == 7
    await working
    pool.close()


ABOUT = ("Ada Lovelace", "ada.lovelace@analytical-engine.example")
SITE = ("Quintet", "chat.example.com")


@pytest.mark.parametrize(
    "password",
    [
        "adalovelaceada1",
        "Ada Lovelace 1815",
        "ada.lovelace@analytical-engine.example",
        "LOVELACELOVELACE!",
        "analytical-engine",
        "quintetquintet12",
        "chat.example.com",
        "Quintet4Ada2026",
        "lovel4ce lovel4ce",
    ],
)
async def test_what_everybody_can_guess_of_an_account_is_refused(pool: BoundedPool, password: str) -> None:
    """The name, the address, the product and its host, put together anyhow, make no password; the same is fine for somebody else."""
    passwords = Passwords(pool, Sources(), rounds=1, kib=8, common=SITE)
    with pytest.raises(QuintetError) as refused:
        await passwords.check(password, *ABOUT)
    assert refused.value.code == "password_common"


@pytest.mark.parametrize(
    "password",
    [
        "ada counts fourteen herons",
        "violet anchor at quintet",
        "lovelace and 7 brown bears",
        "engine of the night ferry",
    ],
)
async def test_a_word_of_ones_own_among_others_is_fine(pool: BoundedPool, password: str) -> None:
    """What is left without it is long enough."""
    passwords = Passwords(pool, Sources(), rounds=1, kib=8, common=SITE)
    assert await passwords.check(password, *ABOUT) == password


async def test_somebody_without_a_name_may_have_any_good_password(pool: BoundedPool) -> None:
    """Nothing about the account, nothing refused for it; a name of one letter neither."""
    passwords = Passwords(pool, Sources(), rounds=1, kib=8, common=SITE)
    for about in ((None, "a@b.example"), ("A", "a@b.example")):
        assert await passwords.check("correct horse battery staple", *about)


def sorted_file(path: Path, words: Sequence[str], *, digits: int = 40, end: str = "\r\n") -> Path:
    """The file as Have I Been Pwned gives it: hashes in their order, each with how often it was seen."""
    hashes = sorted(sha1(word.encode()).hexdigest().upper()[:digits] for word in words)
    path.write_bytes(end.join(f"{found}:{number}" for number, found in enumerate(hashes)).encode())
    return path


@pytest.mark.parametrize("digits", [40, 16])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("count", [1, 2, 3, 1000])
def test_a_known_password_is_found_wherever_it_stands(tmp_path: Path, digits: int, end: str, count: int) -> None:
    """The first line, the last without its end, all between; none that is not there."""
    words = [f"word {number}" for number in range(count)]
    breaches = Breaches(sorted_file(tmp_path / "pwned.txt", words, digits=digits, end=end))
    try:
        assert all(breaches.has(word) for word in words)
        assert not any(breaches.has(f"{word}!") for word in words)
    finally:
        breaches.close()


def test_a_large_file_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four megabytes some reads of a line: their number grows as the logarithm of the size."""
    breaches = Breaches(sorted_file(tmp_path / "pwned.txt", [str(number) for number in range(80_000)]))
    reads: list[int] = []

    def counted(descriptor: int, size: int, at: int, read: Any = os.pread) -> bytes:
        reads.append(size)
        return bytes(read(descriptor, size, at))

    monkeypatch.setattr(os, "pread", counted)
    assert breaches.has("77777")
    assert not breaches.has("none of them")
    breaches.close()
    assert sum(reads) < 10_000, f"{sum(reads)} bytes in {len(reads)} reads"


@pytest.mark.parametrize("content", ["", "password\n", "5baa61\n", "not a hash at all, but long enough to be one:1\n"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    """When it is opened, not when somebody registers."""
    (tmp_path / "words.txt").write_text(content)
    with pytest.raises(ValueError, match="SHA-1"):
        Breaches(tmp_path / "words.txt")


async def test_a_password_known_from_a_breach_is_refused(pool: BoundedPool, tmp_path: Path) -> None:
    """By a code that clients know, with a sentence of its own; in the form that is hashed."""
    breaches = Breaches(sorted_file(tmp_path / "pwned.txt", ["violet anchor 77 marmalade", "x", "y"]))
    passwords = Passwords(pool, Sources(), rounds=1, kib=8, breaches=breaches)
    with pytest.raises(QuintetError, match="breach") as refused:
        await passwords.check("violet anchor 77 ｍarmalade")
    assert refused.value.code == "password_common"
    assert await passwords.check("violet anchor 78 marmalade")
    breaches.close()

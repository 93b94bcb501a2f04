"""Administration of accounts in one process, on a real database."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from accounts.house import CONFIG, PASSWORD, Clock, House, expect, opened, refused
from quintet.accounts.admin.administration import Administration
from quintet.errors import QuintetError
from quintet.sources import Sources

pytestmark = pytest.mark.l2


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Accounts of a server on which nobody can sign up."""
    async with opened(tmp_path / "quintet.db", Clock(), replace(CONFIG, sign_up="closed")) as made:
        yield made


@pytest.fixture
async def administration(house: House) -> AsyncIterator[Administration]:
    """Administration of the same database, on the same clock."""
    made = Administration(house.store, replace(Sources(), now_ms=house.clock.now_ms), house.accounts.config)
    yield made
    made.close()


async def test_an_added_user_signs_in_where_sign_up_is_closed(house: House, administration: Administration) -> None:
    """Address, name and role are those that were given; the address counts as confirmed; the role can be admin only here."""
    await administration.add("Alice@example.com", PASSWORD, "Alice", admin=True)
    await administration.add("bob@example.com", PASSWORD)
    alice = expect(await house.login("alice@example.com"), 200)["user"]
    assert (alice["email"], alice["name"], alice["role"]) == ("Alice@example.com", "Alice", "admin")
    assert alice["email_verified"] is True
    assert expect(await house.login("bob@example.com"), 200)["user"]["role"] == "user"


@pytest.mark.parametrize(
    ("email", "password", "name", "code"),
    [
        ("nonsense", PASSWORD, None, "email_invalid"),
        ("TAKEN@example.com", PASSWORD, None, "email_taken"),
        ("new@example.com", "fourteen chars", None, "password_too_short"),
        ("new@example.com", "passwordpassword", None, "password_common"),
        ("new@example.com", PASSWORD + "\udcff", None, "password_invalid"),
        ("new@example.com", PASSWORD, "a\x1b[2Jb", "bad_message"),
    ],
)
async def test_the_rules_are_those_of_registering(
    administration: Administration, email: str, password: str, name: str | None, code: str
) -> None:
    """What nobody could register with nobody is added with."""
    await administration.add("taken@example.com", PASSWORD)
    with pytest.raises(QuintetError) as caught:
        await administration.add(email, password, name)
    assert caught.value.code == code
    assert [user.email for user in await administration.users()] == ["taken@example.com"]


async def test_a_generated_password_passes_every_rule(house: House) -> None:
    """Also where passwords must be as long as the settings allow at most; no two are the same."""
    for shortest in (15, 64):
        made = Administration(house.store, Sources(), replace(house.accounts.config, password_shortest=shortest))
        passwords = {made.generated() for _ in range(20)}
        assert len(passwords) == 20
        for password in list(passwords)[:3]:
            assert await made.check(password) == password
        made.close()


async def test_disabling_ends_everything_and_enabling_revives_nothing(
    house: House, administration: Administration
) -> None:
    """Access and refresh tokens are dead with the commit, signing in is refused, the revision is raised; nobody else notices."""
    alice = await administration.add("alice@example.com", PASSWORD)
    await administration.add("bob@example.com", PASSWORD)
    devices = [expect(await house.login("alice@example.com"), 200) for _ in range(2)]
    bob = expect(await house.login("bob@example.com"), 200)
    before = await house.rows("SELECT auth_rev FROM heads WHERE user_id = ?", alice.id)
    assert await administration.disable(alice.id) == (alice, True)
    assert await house.rows("SELECT auth_rev FROM heads WHERE user_id = ?", alice.id) > before
    for enabled in (False, True):
        if enabled:
            assert (await administration.enable("ALICE@example.com"))[1] is True
        for device in devices:
            assert refused(await house.me(device["access_token"])) == (401, "session_revoked")
            body = {"refresh_token": device["refresh_token"]}
            assert refused(await house.http.post("/v1/auth/refresh", json=body)) == (401, "session_revoked")
        answer = await house.login("alice@example.com")
        assert answer.status_code == (200 if enabled else 403)
        expect(await house.me(bob["access_token"]), 200)


async def test_disabling_twice_is_no_error_and_keeps_the_time(house: House, administration: Administration) -> None:
    """The second time changes nothing but raises the revision again; nobody of that name is `not_found`."""
    alice = await administration.add("alice@example.com", PASSWORD)
    await administration.disable(alice.email)
    first = (await administration.users())[0].disabled_at
    revision = await house.rows("SELECT auth_rev FROM heads")
    house.clock.forward(seconds=60)
    assert (await administration.disable(alice.email))[1] is False
    assert (await administration.users())[0].disabled_at == first
    assert await house.rows("SELECT auth_rev FROM heads") > revision
    assert [(await administration.enable(alice.id))[1] for _ in range(2)] == [True, False]
    for nobody in ("usr_nobody", "nobody@example.com"):
        with pytest.raises(QuintetError) as caught:
            await administration.disable(nobody)
        assert caught.value.code == "not_found"


async def test_the_list_counts_sessions_that_stand(house: House, administration: Administration) -> None:
    """The oldest account first; ended and expired sessions do not count, the last use does; nothing secret is shown."""
    await administration.add("zoe@example.com", PASSWORD)
    house.clock.forward(seconds=1)
    await administration.add("adam@example.com", PASSWORD)
    signed = [expect(await house.login("zoe@example.com"), 200) for _ in range(3)]
    used = house.clock.now_ms()
    await house.http.post("/v1/auth/logout", json={"refresh_token": signed[0]["refresh_token"]})
    zoe, adam = await administration.users()
    assert (zoe.email, zoe.sessions, zoe.last_used_at) == ("zoe@example.com", 2, used)
    assert (adam.email, adam.sessions, adam.last_used_at) == ("adam@example.com", 0, None)
    assert "last_used_at" not in adam.view()
    assert not zoe.view().keys() & {"password_hash", "email_key"}
    house.clock.forward(days=31)
    assert [user.sessions for user in await administration.users()] == [0, 0]


async def test_a_list_longer_than_a_page_is_whole(
    administration: Administration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is left out or listed twice where one page ends and the next begins."""
    monkeypatch.setattr("quintet.accounts.admin.administration._PAGE", 2)
    emails = [f"user{number}@example.com" for number in range(5)]
    for email in emails:
        await administration.add(email, PASSWORD)
    assert sorted(user.email for user in await administration.users()) == emails

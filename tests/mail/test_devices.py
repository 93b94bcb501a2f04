"""A letter tells of a sign-in from where the account was not used before."""

from pathlib import Path

import pytest

from accounts.house import CONFIG, PASSWORD, Clock, expect, opened
from mail.office import Office
from quintet.accounts.sessions import devices
from quintet.accounts.sessions.devices import digests_of

pytestmark = pytest.mark.l2

ADA = "ada@example.com"


async def test_a_device_is_told_of_once(office: Office) -> None:
    """Not the first of an account, not a known one in a newer version; a new one once, with its name made harmless."""
    house = office.house
    expect(await office.register(ADA, device="Firefox 143.0 on Linux"), 201)
    for device in ("Firefox 144.0.1 on Linux", "<b>Evil</b> http://evil.test", "<b>Evil</b> http://evil.test"):
        expect(await house.login(ADA, device=device), 200)
        await office.settled()
    (mail,) = office.mailbox.mails
    assert (mail.to, mail.subject) == ((ADA,), "A new device signed in")
    assert "Device: b Evil b http evil test." in mail.text
    assert "<b>" not in mail.html
    assert "127.0.0.1" in mail.text


async def test_without_a_mail_server_nothing_is_written_and_all_else_goes_on(tmp_path: Path, office: Office) -> None:
    """New devices sign in, forgotten passwords are answered; and the page can know that no letter will come."""
    told = {}
    async with opened(tmp_path / "other.db", Clock(), CONFIG) as silent:
        for name, house in (("silent", silent), ("writing", office.house)):
            expect(await house.http.post("/v1/auth/register", json={"email": ADA, "password": PASSWORD}), 201)
            expect(await house.login(ADA, device="another"), 200)
            assert (await house.http.post("/v1/auth/password/forgot", json={"email": ADA})).status_code == 202
            told[name] = expect(await house.http.get("/v1/auth/entrance"), 200)["letters"]
    assert told == {"silent": False, "writing": True}
    await office.settled()
    assert len(office.mailbox.mails) == 2


def test_a_device_is_a_name_and_a_network() -> None:
    """Versions and the last half of the address do not matter, the name and the first half do; the newest secret comes first."""
    keys = [b"new" * 11, b"old" * 11]

    def same(one: tuple[str | None, str | None], two: tuple[str | None, str | None]) -> bool:
        return digests_of(keys, *one) == digests_of(keys, *two)

    assert same(("Firefox 1.2", "192.0.2.1"), ("Firefox 3", "192.0.99.7"))
    assert same((None, "2001:db8:1::1"), (None, "2001:db8:2::9"))
    assert not same(("Firefox", "192.0.2.1"), ("Chrome", "192.0.2.1"))
    assert not same(("Firefox", "192.0.2.1"), ("Firefox", "198.51.100.1"))
    assert digests_of(keys, "x", None)[1:] == digests_of(keys[1:], "x", None)


async def test_devices_are_bounded(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one unseen for longest is forgotten, and is news again."""
    monkeypatch.setattr(devices, "MOST", 3)
    user_id = (await office.house.register(ADA))["user"]["id"]

    async def seen(name: str) -> bool:
        office.house.clock.forward(seconds=1)
        now = office.house.clock.now_ms()
        return await office.house.store.write(user_id, lambda tx: devices.remember(tx, user_id, [name.encode()], now))

    assert [await seen(name) for name in ("a", "b", "c", "b", "d")] == [True, True, True, False, True]
    assert await office.house.rows("SELECT count(*) FROM devices") == [(3,)]
    assert [await seen(name) for name in ("b", "d", "a")] == [False, False, True]


async def test_a_throttled_thief_changes_nothing(office: Office) -> None:
    """So many sign-ins from new devices are told of; the sign-ins themselves go on."""
    expect(await office.register(ADA, device="the first"), 201)
    for name in "abcdefg":
        expect(await office.house.login(ADA, PASSWORD, device=f"device {name}"), 200)
    await office.settled()
    assert len(office.mailbox.mails) == 5

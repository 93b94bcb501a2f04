"""Whose an address is: asked for at sign-up, and when it changes."""

import asyncio
import statistics
import time

import pytest

from accounts.house import PASSWORD, Clock, Opener, bearer, expect, refused
from accounts.meanwhile import Meanwhile
from mail.office import NEW, Office, plain, token_in

pytestmark = pytest.mark.l2

ADA, BOB, NEWER = "ada@example.com", "bob@example.com", "ada.lovelace@example.com"
CONFIRM = "Confirm your address"


async def test_an_address_is_confirmed_before_it_signs_in(strict: Office) -> None:
    """202 and nothing else; the right password opens nothing yet, and brings another letter; the link of the newest does."""
    answer = await strict.register(ADA)
    assert (answer.status_code, answer.content) == (202, b"")
    await strict.settled()
    answer = await strict.house.login(ADA)
    assert refused(answer) == (403, "forbidden")
    assert "Confirm your address first" in answer.json()["detail"]
    await strict.settled()
    old, new = [token_in(await strict.letter(ADA, CONFIRM, nth)) for nth in (1, 2)]
    assert refused(await strict.verify(old)) == (401, "invalid_token")
    answer = await strict.verify(new)
    assert (answer.status_code, answer.content) == (204, b"")
    told = expect(await strict.house.login(ADA), 200)
    assert told["user"]["email_verified"] is True
    assert refused(await strict.verify(new)) == (401, "invalid_token")


async def test_a_wrong_password_learns_nothing_of_an_address_that_waits(strict: Office) -> None:
    """Only whoever knows the password hears that the address has to be confirmed, and only they bring a letter."""
    await strict.register(ADA)
    await strict.settled()
    assert refused(await strict.house.login(ADA, NEW)) == (401, "credentials_wrong")
    await strict.settled()
    assert len(strict.mailbox.mails) == 1


async def test_a_taken_address_gets_the_same_answer(strict: Office) -> None:
    """To the byte; the owner is told by letter, and neither password nor name of the account changes."""
    await strict.confirmed(ADA)
    answers = [plain(await strict.register(email, NEW, name="Somebody")) for email in (ADA, BOB)]
    assert answers[0] == answers[1]
    assert answers[0][:2] == (202, b"")
    await strict.settled()
    mail = await strict.letter(ADA, "You have an account")
    assert not [link for link in mail.links if "/#/" in link]
    assert expect(await strict.house.login(ADA), 200)["user"].get("name") is None
    assert refused(await strict.house.login(ADA, NEW)) == (401, "credentials_wrong")


async def test_sign_ups_with_a_free_and_a_taken_address_take_the_same(open_office: Opener) -> None:
    """The same work is done before both answers; what differs is done after them."""
    times: dict[str, list[float]] = {ADA: [], "free": []}
    async with open_office(verify_email=True, hash_kib=8192, letters_per_account="1000 per 1 hour") as office:
        await office.confirmed(ADA)
        for turn in range(8):
            for kind, email in ((ADA, ADA), ("free", f"free{turn}@example.com")):
                begun = time.perf_counter()
                assert (await office.register(email)).status_code == 202
                times[kind].append(time.perf_counter() - begun)
                await office.settled()
    taken, free = statistics.median(times[ADA]), statistics.median(times["free"])
    assert 0.5 < taken / free < 2, f"a taken address took {taken:.4f} s, a free one {free:.4f} s"


async def test_of_one_address_that_waits_its_reader_chooses_the_password(strict: Office) -> None:
    """Somebody registers with another's address; the owner registers too. No password that was sent counts, nor does the first
    letter: the owner chooses one by the second, and is in alone."""
    await strict.register(ADA, "the words of somebody else 1")
    await strict.settled()
    await strict.register(ADA, PASSWORD)
    await strict.settled()
    first, second = [token_in(await strict.letter(ADA, CONFIRM, nth)) for nth in (1, 2)]
    assert refused(await strict.verify(first)) == (401, "invalid_token")
    assert (await strict.reset(second)).status_code == 204
    assert refused(await strict.house.login(ADA, "the words of somebody else 1")) == (401, "credentials_wrong")
    assert expect(await strict.house.login(ADA, NEW), 200)["user"]["email_verified"] is True


async def test_looking_at_a_link_uses_nothing_up(strict: Office) -> None:
    """Scanners of mail open every link: a GET of the link, and of the route, leaves the token good."""
    await strict.register(ADA)
    await strict.settled()
    mail = await strict.letter(ADA, CONFIRM)
    token = token_in(mail)
    for link in (*mail.links, "/v1/auth/email/verify", "/v1/auth/password/reset"):
        for _ in range(2):
            await strict.house.http.get(link)
            await strict.house.http.head(link)
    assert (await strict.house.http.get("/v1/auth/email/verify")).status_code == 405
    assert (await strict.verify(token)).status_code == 204


async def test_a_link_has_its_time(strict: Office, clock: Clock) -> None:
    """Two days; then the address is still waiting, and a sign-in brings another letter."""
    await strict.register(ADA)
    await strict.settled()
    clock.forward(days=2)
    assert refused(await strict.verify(token_in(await strict.letter(ADA, CONFIRM)))) == (401, "token_expired")
    assert refused(await strict.house.login(ADA)) == (403, "forbidden")
    await strict.settled()
    assert (await strict.verify(token_in(await strict.letter(ADA, CONFIRM, 2)))).status_code == 204


async def test_sign_in_letters_do_not_cancel_each_other_when_there_are_too_many(strict: Office) -> None:
    """After five an hour none is written, and the last one that was stays good."""
    await strict.register(ADA)
    await strict.settled()
    for _ in range(8):
        assert refused(await strict.house.login(ADA)) == (403, "forbidden")
        await strict.settled()
    mails = strict.mailbox.mails
    assert 5 <= len(mails) <= 6
    assert (await strict.verify(token_in(mails[-1]))).status_code == 204


async def test_another_address_is_taken_on_by_letter(office: Office) -> None:
    """With the password; the letter goes to the new address, the old one is told before and after; the session stays, letters of
    before to the old address do nothing any more."""
    told = await office.house.register(ADA)
    token = told["access_token"]
    await office.forgot(ADA)
    answer = await office.post("/email", {"email": NEWER, "password": PASSWORD}, token)
    assert (answer.status_code, answer.content) == (202, b"")
    confirming = token_in(await office.letter(NEWER, "Confirm your new address"))
    assert NEWER not in (await office.letter(ADA, "about to change")).text
    assert expect(await office.house.me(token), 200)["email"] == ADA
    assert (await office.verify(confirming)).status_code == 204
    await office.letter(ADA, "Your address was changed")
    me = expect(await office.house.me(token), 200)
    assert (me["email"], me["email_verified"]) == (NEWER, True)
    assert refused(await office.house.login(ADA)) == (401, "credentials_wrong")
    assert (await office.house.login(NEWER)).status_code == 200
    assert refused(await office.reset(token_in(await office.letter(ADA, "Choose a new password")))) == (
        401,
        "invalid_token",
    )


async def test_a_change_needs_the_password(office: Office) -> None:
    """A stolen access token alone moves no account, nor does a session of somebody else."""
    told = await office.house.register(ADA)
    body = {"email": NEWER, "password": NEW}
    assert refused(await office.post("/email", body, told["access_token"])) == (401, "credentials_wrong")
    assert refused(await office.post("/email", body)) == (401, "unauthenticated")
    await office.settled()
    assert office.mailbox.mails == []


async def test_a_change_to_a_taken_address_is_told_to_its_owner_alone(office: Office) -> None:
    """The asker hears the same as for a free one; the owner gets a letter without a link that could change anything."""
    told = await office.house.register(ADA)
    await office.house.register(BOB)
    answers = [
        plain(await office.post("/email", {"email": email, "password": PASSWORD}, told["access_token"]))
        for email in (BOB, NEWER)
    ]
    assert answers[0] == answers[1]
    assert not [link for link in (await office.letter(BOB, "You have an account")).links if "/#/" in link]
    await office.letter(NEWER, "Confirm your new address")


async def test_of_two_who_want_one_address_one_gets_it(office: Office) -> None:
    """Both are sent a letter while it is free; whoever answers first has it, the other hears that it is taken."""
    tokens = []
    for number, email in enumerate((ADA, BOB), 1):
        told = await office.house.register(email)
        await office.post("/email", {"email": NEWER, "password": PASSWORD}, told["access_token"])
        tokens.append(token_in(await office.letter(NEWER, "Confirm your new address", number)))
    answers = await asyncio.gather(*(office.verify(token) for token in tokens))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert await office.house.rows("SELECT count(*) FROM users WHERE email_key = ?", NEWER) == [(1,)]


async def test_a_new_password_ends_a_change_of_address(office: Office) -> None:
    """Whoever reads the old address stops a change that a thief has asked for."""
    told = await office.house.register(ADA)
    await office.post("/email", {"email": NEWER, "password": PASSWORD}, told["access_token"])
    changing = token_in(await office.letter(NEWER, "Confirm your new address"))
    await office.forgot(ADA)
    assert (await office.reset(token_in(await office.letter(ADA, "Choose a new password")))).status_code == 204
    assert refused(await office.verify(changing)) == (401, "invalid_token")


async def test_ones_own_address_can_be_confirmed_later(office: Office) -> None:
    """Where it is not asked for, one may: by asking for a letter to the address one has. A confirmed one gets no letter."""
    told = await office.house.register(ADA)
    body = {"email": ADA.upper(), "password": PASSWORD}
    assert (await office.post("/email", body, told["access_token"])).status_code == 202
    assert (await office.verify(token_in(await office.letter(ADA, CONFIRM)))).status_code == 204
    answer = await office.house.http.get("/v1/auth/me", headers=bearer(told["access_token"]))
    assert (answer.json()["email"], answer.json()["email_verified"]) == (ADA, True)
    assert (await office.post("/email", body, told["access_token"])).status_code == 202
    await office.settled()
    assert len(office.mailbox.mails) == 1


async def test_a_password_changed_meanwhile_stops_a_change_of_address(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thief has shown the old password and waits for the commit; the owner's new password is first: 401, and no letter goes out."""
    thief = await office.house.register(ADA)
    owner = expect(await office.house.login(ADA), 200)

    async def changes() -> None:
        body = {"current": PASSWORD, "new": NEW}
        assert (await office.post("/password", body, owner["access_token"])).status_code == 204

    meanwhile = Meanwhile(office.house, monkeypatch, changes)
    body = {"email": NEWER, "password": PASSWORD}
    assert refused(await office.post("/email", body, thief["access_token"])) == (401, "session_revoked")
    assert meanwhile.happened
    await office.settled()
    assert office.mailbox.mails == []
    assert await office.house.rows("SELECT * FROM mail_tokens") == []

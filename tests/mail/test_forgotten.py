"""A forgotten password: who hears of it, what the letter can do, and what it ends."""

import asyncio
import json
from typing import Any

import pytest

from accounts.house import PASSWORD, Clock, Opener, bearer, refused
from accounts.meanwhile import Meanwhile
from mail.office import NEW, Office, plain, token_in

pytestmark = pytest.mark.l2

ADA, BOB = "ada@example.com", "bob@example.com"
RESET = "Choose a new password"


async def test_a_new_password_lets_in_and_ends_everything_else(office: Office) -> None:
    """The letter sets a password once: both sessions of before are over, tokens and all, the old password is worth nothing, the
    address is confirmed, another user notices nothing, and a second letter says what has happened."""
    house = office.house
    first, other = await house.register(ADA), await house.register(BOB)
    second = (await house.login(ADA)).json()
    assert (await office.forgot(ADA.upper())).status_code == 202
    answer = await office.reset(token_in(await office.letter(ADA, RESET)))
    assert (answer.status_code, answer.content) == (204, b"")
    for session in (first, second):
        assert refused(await house.me(session["access_token"])) == (401, "session_revoked")
        assert refused(await house.refresh(session["refresh_token"])) == (401, "session_revoked")
    assert (await house.me(other["access_token"])).status_code == 200
    assert refused(await house.login(ADA)) == (401, "credentials_wrong")
    assert (await house.login(ADA, NEW)).json()["user"]["email_verified"] is True
    assert (await office.letter(ADA, "Your password was changed")).links
    assert await house.rows("SELECT DISTINCT ended_because FROM sessions WHERE ended_at IS NOT NULL") == [
        ("password_reset",)
    ]


async def test_the_answer_tells_nothing(office: Office) -> None:
    """To the byte the same for an account, nobody, and a disabled account; only the first gets a letter."""
    house = office.house
    await house.register(ADA)
    await house.register(BOB)
    await house.change("UPDATE users SET disabled_at = 1 WHERE email = ?", BOB)
    answers = [plain(await office.forgot(email)) for email in (ADA, BOB, "nobody@example.com")]
    assert answers[0][0] == 202
    assert answers[0] == answers[1] == answers[2]
    assert [mail.to for mail in office.mailbox.mails] == [(ADA,)]


@pytest.mark.parametrize(
    "body", [{"email": "nonsense"}, {"email": "a@b\r\nBcc: c@example.com"}, {"email": "ä@example.com"}]
)
async def test_what_is_no_address_is_refused(office: Office, body: dict[str, Any]) -> None:
    """By its form, before anything is done; no header can be written with it."""
    assert refused(await office.post("/password/forgot", body)) == (422, "email_invalid")


async def test_a_link_is_good_once(office: Office) -> None:
    """The second use is refused, and so is the loser of two at once."""
    await office.house.register(ADA)
    await office.forgot(ADA)
    token = token_in(await office.letter(ADA, RESET))
    answers = await asyncio.gather(office.reset(token), office.reset(token, "some other words 42 here"))
    assert sorted(answer.status_code for answer in answers) == [204, 401]
    assert refused(await office.reset(token)) == (401, "invalid_token")


async def test_the_newest_letter_cancels_the_older(office: Office) -> None:
    """One link works at a time: the last that was sent."""
    await office.house.register(ADA)
    for _ in range(2):
        await office.forgot(ADA)
    old, new = [token_in(await office.letter(ADA, RESET, nth)) for nth in (1, 2)]
    assert refused(await office.reset(old)) == (401, "invalid_token")
    assert (await office.reset(new)).status_code == 204


async def test_a_link_has_its_time(office: Office, clock: Clock) -> None:
    """One hour, then it is too old, and that is said."""
    await office.house.register(ADA)
    await office.forgot(ADA)
    token = token_in(await office.letter(ADA, RESET))
    clock.forward(seconds=3600)
    assert refused(await office.reset(token)) == (401, "token_expired")
    assert (await office.house.login(ADA)).status_code == 200


@pytest.mark.parametrize(
    "token", ["", "nonsense", "ql_" + "A" * 43, "ql_" + "A" * 10_000, "ql_\ud800" + "A" * 42, "qr_" + "A" * 43]
)
async def test_what_is_no_token_opens_nothing(office: Office, token: str) -> None:
    """Malformed, unknown and huge ones get one and the same answer, on both routes."""
    json_type = {"content-type": "application/json"}
    for path, body in (("/password/reset", {"token": token, "new": NEW}), ("/email/verify", {"token": token})):
        content = json.dumps(body).encode()  # a lone surrogate goes as an escape
        answer = await office.house.http.post(f"/v1/auth{path}", content=content, headers=json_type)
        assert refused(answer) == (401, "invalid_token")


async def test_a_refused_password_leaves_the_link(office: Office) -> None:
    """Too short, too common, or made of one's own name: the person tries again with the same letter."""
    await office.house.register(ADA, name="Ada Lovelace")
    await office.forgot(ADA)
    token = token_in(await office.letter(ADA, RESET))
    refusals = [refused(await office.reset(token, new)) for new in ("short", "passwordpassword", "ada lovelace ada!")]
    assert refusals == [(422, "password_too_short"), (422, "password_common"), (422, "password_common")]
    assert (await office.reset(token)).status_code == 204


async def test_a_token_is_good_for_its_purpose_alone(open_office: Opener) -> None:
    """One that confirms an address sets no password, and the other way round."""
    async with open_office(verify_email=True) as office:
        await office.register(ADA)
        await office.settled()
        confirming = token_in(await office.letter(ADA, "Confirm"))
        await office.forgot(ADA)
        resetting = token_in(await office.letter(ADA, RESET))
        assert refused(await office.reset(confirming)) == (401, "invalid_token")
        assert refused(await office.verify(resetting)) == (401, "invalid_token")
        assert (await office.verify(confirming)).status_code == 204
        assert (await office.reset(resetting)).status_code == 204


async def test_a_disabled_account_stays_shut(office: Office) -> None:
    """A letter of before does nothing once the account is disabled."""
    house = office.house
    await house.register(ADA)
    await office.forgot(ADA)
    await house.change("UPDATE users SET disabled_at = 1")
    assert refused(await office.reset(token_in(await office.letter(ADA, RESET)))) == (401, "invalid_token")


_FOOTHOLDS = (
    "INSERT INTO api_keys (user_id, id, name, hint, digest, scopes, created_at) VALUES (?, 'k', 'k', 'k', x'01', 'read', 1)",
    "INSERT INTO passkeys (user_id, id, credential, public_key, sign_count, transports, name, created_at)"
    " VALUES (?, 'p', x'02', x'02', 0, '', 'p', 1)",
    "INSERT INTO totps (user_id, sealed_secret, created_at, confirmed_at) VALUES (?, x'03', 1, 1)",
    "INSERT INTO recovery_codes (user_id, digest) VALUES (?, x'04')",
    "INSERT INTO external_identities (user_id, issuer, subject, created_at, used_at) VALUES (?, 'i', 's', 1, 1)",
    "INSERT INTO challenges (user_id, digest, kind, data, created_at, expires_at) VALUES (?, x'05', 'k', x'05', 1, 1)",
)


@pytest.mark.parametrize(("was_confirmed", "left"), [(False, 0), (True, 1)])
async def test_whoever_registered_first_keeps_nothing_of_an_address_that_was_never_confirmed(
    office: Office, was_confirmed: bool, left: int
) -> None:
    """Somebody makes an account with another's address and every way into it. The address's owner resets it: all of them are gone. Of an
    account whose address was confirmed the second factor and the keys stay: a letter alone must not take them off."""
    told = await office.house.register(ADA)
    await office.house.change("UPDATE users SET email_verified = ?", was_confirmed)
    for statement in _FOOTHOLDS:
        await office.house.change(statement, told["user"]["id"])
    await office.forgot(ADA)
    assert (await office.reset(token_in(await office.letter(ADA, RESET)))).status_code == 204
    tables = [statement.split()[2] for statement in _FOOTHOLDS]
    assert {table: await office.house.rows(f"SELECT count(*) FROM {table}") for table in tables} == {
        table: [(left,)] for table in tables
    }


async def test_nobody_is_buried_in_letters(office: Office, clock: Clock) -> None:
    """Five an hour to one address, whoever asks; the answer stays the same, the last link stays good, another address gets its own."""
    await office.house.register(ADA)
    await office.house.register(BOB)
    answers = {plain(await office.forgot(ADA))[:2] for _ in range(7)}
    assert answers == {(202, b"")}
    assert len(office.mailbox.mails) == 5
    await office.forgot(BOB)
    assert len(office.mailbox.mails) == 6
    assert (await office.reset(token_in(await office.letter(ADA, RESET, 5)))).status_code == 204
    clock.forward(seconds=3600)
    await office.forgot(ADA)
    await office.letter(ADA, RESET, 6)


async def test_asking_is_throttled_per_address_of_the_network(open_office: Opener) -> None:
    """Alike for accounts and for nobody, on every route that a letter belongs to."""
    async with open_office(per_address=True, letters_per_address="4 per 1 minute") as office:
        bodies = (
            ("/password/forgot", {"email": ADA}),
            ("/password/reset", {"token": "x", "new": PASSWORD}),
            ("/email/verify", {"token": "x"}),
        )
        codes = [(await office.post(*body)).status_code for body in (*bodies, *bodies)]
        assert codes == [202, 401, 401, 202, 429, 429]


async def test_no_token_is_kept(office: Office) -> None:
    """The database has its digest alone, and nothing of a letter after it was used."""
    await office.house.register(ADA)
    await office.forgot(ADA)
    token = token_in(await office.letter(ADA, RESET))
    ((digest,),) = await office.house.rows("SELECT digest FROM mail_tokens")
    assert len(digest) == 32
    assert token.encode() not in digest
    await office.reset(token)
    assert await office.house.rows("SELECT count(*) FROM mail_tokens") == [(0,)]


async def test_whose_account_is_deleted_meanwhile_gets_no_letter(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The letter was asked for, and before it is written the account is gone, and somebody new has the address: nothing is kept, nothing
    goes out, and it is no failure."""
    told = await office.house.register(ADA)

    async def goes() -> None:
        headers = bearer(told["access_token"])
        await office.house.http.request("DELETE", "/v1/auth/me", json={"password": PASSWORD}, headers=headers)
        await office.house.register(ADA)

    meanwhile = Meanwhile(office.house, monkeypatch, goes)
    await office.forgot(ADA)
    assert meanwhile.happened
    assert await office.house.rows("SELECT * FROM mail_tokens") == []
    assert office.mailbox.mails == []
    assert not [record for record in caplog.records if "failed" in record.getMessage()]

"""Who may sign up: everybody, whoever was invited, nobody."""

from typing import Any

import pytest

from accounts.house import Clock, Opener, expect, refused
from mail.office import Office, token_in
from quintet.accounts.joining.invites import KEPT_MS
from quintet.accounts.joining.inviting import Inviting
from quintet.errors import QuintetError
from quintet.sources import Sources

pytestmark = pytest.mark.l2

ADA, BOB = "ada@example.com", "bob@example.com"


async def invited(office: Office, email: str | None = None, **more: Any) -> str:
    """An invitation as the command line makes it."""
    house = office.house
    sources = Sources(now_ms=house.clock.now_ms)
    inviting = Inviting(house.store, sources, house.accounts.post)
    made = await inviting.invite(email, **{"role": "user", "days": 7, **more})
    assert made.link == f"http://localhost:8750/#/invite/{made.token}"
    return made.token


@pytest.mark.parametrize(("mode", "bare", "with_one"), [("open", 201, 201), ("invite", 403, 201), ("closed", 403, 403)])
async def test_the_three_modes(open_office: Opener, mode: str, bare: int, with_one: int) -> None:
    """Open to all, by invitation, closed to all; and the page is told which."""
    async with open_office(sign_up=mode) as office:
        assert expect(await office.house.http.get("/v1/auth/entrance"), 200)["sign_up"] == mode
        assert (await office.register(ADA)).status_code == bare
        assert (await office.register(BOB, invite=await invited(office))).status_code == with_one


async def test_an_invitation_is_good_once_and_brings_its_role(open_office: Opener) -> None:
    """The first account gets it; it says who is an admin, never the form."""
    async with open_office(sign_up="invite") as office:
        token = await invited(office, role="admin")
        told = expect(await office.register(ADA, invite=token), 201)
        assert told["user"]["role"] == "admin"
        assert refused(await office.register(BOB, invite=token)) == (403, "forbidden")
        assert await office.house.rows("SELECT count(*) FROM users") == [(1,)]


async def test_an_invitation_for_an_address_is_for_that_one(open_office: Opener) -> None:
    """It reaches the address by letter, serves it in any letter case, and nobody else."""
    async with open_office(sign_up="invite") as office:
        await invited(office, ADA)
        token = token_in(await office.letter(ADA, "An invitation"))
        assert refused(await office.register(BOB, invite=token)) == (403, "forbidden")
        expect(await office.register(ADA.upper(), invite=token), 201)


async def test_every_bad_invitation_gets_one_answer(open_office: Opener, clock: Clock) -> None:
    """Unknown, malformed, used, expired, for another: the same sentence; nobody learns which invitations there are."""
    async with open_office(sign_up="invite") as office:
        used, old, others = [await invited(office, email) for email in (None, None, BOB)]
        expect(await office.register("first@example.com", invite=used), 201)
        fresh = await invited(office, days=8)
        clock.forward(days=7)
        answers = [
            await office.register(ADA, invite=token) for token in (used, old, others, "nonsense", "qi_" + "A" * 43, "")
        ]
        assert {refused(answer) for answer in answers} == {(403, "forbidden")}
        assert len({answer.json()["detail"] for answer in answers}) == 1
        expect(await office.register(ADA, invite=fresh), 201)


async def test_a_refused_sign_up_leaves_the_invitation(open_office: Opener) -> None:
    """A weak password or a taken address costs nothing."""
    async with open_office(sign_up="invite") as office:
        expect(await office.register(BOB, invite=await invited(office)), 201)
        token = await invited(office)
        assert refused(await office.register(ADA, "passwordpassword", invite=token)) == (422, "password_common")
        assert refused(await office.register(BOB, invite=token)) == (409, "email_taken")
        expect(await office.register(ADA, invite=token), 201)


async def test_an_invitation_and_a_confirmed_address(open_office: Opener) -> None:
    """Where addresses are confirmed an invitation opens the door, and the letter opens the account."""
    async with open_office(sign_up="invite", verify_email=True) as office:
        token = await invited(office, role="admin")
        assert (await office.register(ADA, invite=token)).status_code == 202
        await office.settled()
        assert refused(await office.register(BOB, invite=token)) == (403, "forbidden")
        assert (await office.verify(token_in(await office.letter(ADA, "Confirm")))).status_code == 204
        assert expect(await office.house.login(ADA), 200)["user"]["role"] == "admin"


async def test_who_has_an_account_is_not_invited(office: Office, clock: Clock) -> None:
    """That is said; and what is long over is forgotten when another is made."""
    await office.house.register(ADA)
    with pytest.raises(QuintetError) as refusal:
        await invited(office, ADA)
    assert refusal.value.code == "email_taken"
    await invited(office)
    clock.forward(seconds=KEPT_MS // 1000, days=8)
    await invited(office)
    assert await office.house.rows("SELECT count(*) FROM invites") == [(1,)]

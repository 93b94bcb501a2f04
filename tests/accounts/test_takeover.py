"""What somebody who was inside for a moment may keep: nothing. Every door that a thief could leave open behind them."""

import asyncio
import statistics
import time
from dataclasses import replace

import pytest

from accounts.house import PASSWORD, Clock, House, Opener, expect, refused
from accounts.test_factor import ADA, Holder
from quintet.accounts.admin import acts
from quintet.accounts.admin.acts import Actor
from quintet.accounts.by_letter.mail_tokens import Held, put, token_of
from quintet.accounts.keys import rotation, rows
from quintet.accounts.keys.loading import PURPOSE
from quintet.accounts.keys.sealing import Box
from quintet.accounts.sessions import challenges
from quintet.errors import QuintetError
from quintet.scope import Identity
from quintet.sources import Sources

pytestmark = pytest.mark.l2

NEW = "another anchor 99 of quinces"


@pytest.fixture
async def holder(house: House) -> Holder:
    """Ada, without a factor yet."""
    return Holder(house, await house.register(ADA))


async def _change_password(holder: Holder) -> None:
    assert (await holder.ask("POST", "password", {"current": PASSWORD, "new": NEW})).status_code == 204


async def test_a_change_of_address_that_waits_ends_with_the_password(holder: Holder) -> None:
    """Who knew the password asked for another address; the owner chooses another password in the settings: the letter is worth nothing."""
    token, now = token_of(b"t" * 32), holder.house.clock.now_ms()
    held = Held(holder.id, "address", "thief@example.com", now + 1000_000)
    await holder.house.store.write(holder.id, lambda tx: put(tx, token, held, now))
    await _change_password(holder)
    answer = await holder.house.http.post("/v1/auth/email/verify", json={"token": token})
    assert refused(answer) == (401, "invalid_token")


async def test_a_second_step_is_of_the_password_that_was_right(holder: Holder) -> None:
    """A sign-in that waits for its code ends with the password that began it, also with the right code."""
    await holder.enrol()
    token = await holder.pending()
    await _change_password(holder)
    assert refused(await holder.step(token, holder.code)) == (401, "invalid_token")
    assert await holder.house.rows("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == [(1,)]


async def test_codes_that_are_sent_at_once_are_counted(holder: Holder) -> None:
    """Five sign-ins that wait, five wrong codes for each of four, all at once: the right one, sent last, opens nothing, since ten were wrong."""
    await holder.enrol()
    tokens = [await holder.pending() for _ in range(5)]
    wrong = [holder.step(token, "000000") for token in tokens[:4] for _ in range(5)]
    answers = await asyncio.gather(*wrong, holder.step(tokens[4], holder.code))
    assert refused(answers[-1]) == (429, "rate_limited")


async def test_parameters_of_hashes_change_with_a_factor_too(open_house: Opener) -> None:
    """Who signs in in two steps has the hash made anew with the first."""
    async with open_house() as house:
        holder = Holder(house, await house.register(ADA))
        await holder.enrol()
    async with open_house(hash_rounds=2) as house:
        holder.house = house
        await holder.step(await holder.pending(), holder.code)
        ((stored,),) = await house.rows("SELECT password_hash FROM users")
        assert ",t=2," in stored


async def test_what_was_disabled_comes_back_without_its_keys(holder: Holder) -> None:
    """Enabled again, neither a key nor a letter of before opens anything."""
    made = expect(await holder.ask("POST", "keys", {"name": "k", "password": PASSWORD}), 201)
    token, now, store = token_of(b"t" * 32), holder.house.clock.now_ms(), holder.house.store
    held = Held(holder.id, "address", "thief@example.com", now + 1000_000)
    await store.write(holder.id, lambda tx: put(tx, token, held, now))
    await store.write(holder.id, lambda tx: acts.disable(tx, holder.id, Actor(), now))
    await store.write(holder.id, lambda tx: acts.enable(tx, holder.id, Actor(), now))
    assert refused(await holder.house.me(made["key"])) == (401, "session_revoked")
    answer = await holder.house.http.post("/v1/auth/email/verify", json={"token": token})
    assert refused(answer) == (401, "invalid_token")


async def test_time_tells_nothing_of_an_account_without_a_password(open_house: Opener) -> None:
    """Whom another provider vouches for: a sign-in with any password takes as long as for nobody."""
    times: dict[str, list[float]] = {ADA: [], "nobody@example.com": []}
    async with open_house(hash_kib=16384, failures_per_account="1000 per 1 minute") as house:
        await house.register(ADA)
        await house.change("UPDATE users SET password_hash = 'no password'")
        for _ in range(7):
            for email, taken in times.items():
                begun = time.perf_counter()
                assert refused(await house.login(email)) == (401, "credentials_wrong")
                taken.append(time.perf_counter() - begun)
    known, nobody = (statistics.median(taken) for taken in times.values())
    assert 0.5 < known / nobody < 2, f"known {known:.4f} s, nobody {nobody:.4f} s"


async def test_strangers_keep_nobody_from_the_second_step(holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many sign-ins of nobody in particular as there may be are under way: one more hears `busy`, whoever knows a password goes on."""
    await holder.enrol()
    monkeypatch.setattr(challenges, "MOST", 3)
    http = holder.house.http
    for status in (200, 200, 200, 503):
        assert (await http.post("/v1/auth/login/passkey/options")).status_code == status
    expect(await holder.step(await holder.pending(), holder.code), 200)


async def test_dropping_keys_drops_all_of_them(house: House, clock: Clock) -> None:
    """Also one that was stolen before it retired, and the next one, which lay beside it: after a drop no token of before is believed."""
    told = await house.register()
    sources = replace(Sources(), now_ms=clock.now_ms)
    box, periods = Box(house.accounts._secrets, PURPOSE), rotation.Periods.of(600, 30)
    before = {row.kid for row in await house.store.read(rows.all_of)}
    for drop in (False, True):
        fresh = rows.made(box, sources, "next")
        turn = {"at_once": True, "drop": drop}
        await house.store.write("", lambda tx: rotation.rotate(tx, fresh, clock.now_ms(), periods, **turn))  # noqa: B023
    await house.accounts.identities.look()
    assert refused(await house.me(told["access_token"])) == (401, "invalid_token")
    after = {row.kid: row.state for row in await house.store.read(rows.all_of)}
    assert {after[kid] for kid in before} == {"gone"}
    assert sorted(after.values()) == ["active", "gone", "gone", "gone", "next"]


async def test_two_administrators_do_not_take_each_others_role(house: House) -> None:
    """At the same moment: whoever comes second is none any more, so one is left. Giving a role takes the password; a service changes
    no administrator."""
    two = [await house.register() for _ in range(2)]
    await house.change("UPDATE users SET role = 'admin'")
    ids = [told["user"]["id"] for told in two]
    actors = [Actor(told["user"]["id"], identity=Identity(told["user"]["id"], told["session_id"], 0)) for told in two]
    desk = house.accounts.desk
    with pytest.raises(QuintetError, match="credentials_wrong"):
        await desk.change(ids[1], actors[0], role="user", disabled=None)
    with pytest.raises(QuintetError, match="forbidden"):
        await desk.change(ids[1], Actor("svc_1", is_service=True), role=None, disabled=True)
    done = await asyncio.gather(
        *(desk.change(ids[1 - n], actors[n], role="user", disabled=None, password=PASSWORD) for n in range(2)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, QuintetError) and one.code == "forbidden" for one in done) == 1
    assert await house.rows("SELECT count(*) FROM users WHERE role = 'admin'") == [(1,)]


async def test_a_passkey_is_not_removed_with_a_token_alone(holder: Holder) -> None:
    """401 `credentials_wrong` without the password; whoever has none of that name hears 404."""
    await holder.house.change(
        "INSERT INTO passkeys (user_id, id, credential, public_key, sign_count, transports, name, created_at)"
        " VALUES (?, 'psk_1', ?, ?, 0, '', 'mine', 1)",
        *(holder.id, b"c", b"k"),
    )
    assert refused(await holder.ask("DELETE", "passkeys/psk_1")) == (401, "credentials_wrong")
    assert refused(await holder.ask("DELETE", "passkeys/psk_2")) == (404, "not_found")
    answer = await holder.house.http.request(
        "DELETE", "/v1/auth/passkeys/psk_1", json={"password": PASSWORD}, headers=holder.headers
    )
    assert answer.status_code == 204

"""An account taken along as a file, and an account deleted: everything of the user, and then nothing."""

import json
import secrets
import time
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.filling import counts, fill, owned
from accounts.house import PASSWORD, Clock, House, Opener, bearer, expect, refused
from quintet.accounts.own.erasing import begin, take_portion
from quintet.accounts.own.exporting import SHOWN, UNSHOWN
from quintet.runs import Moment

pytestmark = pytest.mark.l2

ADA = "ada@example.com"


def word() -> str:
    """Something that nobody else writes."""
    return f"canary{secrets.token_hex(8)}"


async def delete(house: House, token: str, password: str | None = PASSWORD) -> httpx.Response:
    """The answer to a deletion."""
    body = {} if password is None else {"password": password}
    return await house.http.request("DELETE", "/v1/auth/me", json=body, headers=bearer(token))


async def export(house: House, token: str) -> dict[str, Any]:
    """The file."""
    answer = await house.http.get("/v1/auth/me/export", headers=bearer(token))
    assert answer.headers["content-disposition"] == 'attachment; filename="quintet-export.json"'
    return expect(answer, 200)


# --- deletion ---------------------------------------------------------------------------------------------------------


async def test_a_deletion_leaves_no_row_and_no_byte(house: House, tmp_path: Path) -> None:
    """Every table with a user is asked, from the schema: it had rows of the user and has none; another user's stay; nothing that the user
    was or wrote is in the database's files."""
    mine, theirs = word(), word()
    ada = await house.register(f"{mine}@example.com", name=mine)
    bob = await house.register(f"{theirs}@example.com", name=theirs)
    ids = [told["user"]["id"] for told in (ada, bob)]
    for user_id, said in zip(ids, (mine, theirs), strict=True):
        await house.store.write("", partial(fill, user_id=user_id, word=said))
    await house.change("INSERT INTO invites VALUES (X'01', ?, 'user', 1, 1, NULL)", f"{mine}@example.com")
    before = await house.store.read(lambda tx: counts(tx, ids[0]))
    assert all(before.values()), "a table that had nothing proves nothing"
    assert (await delete(house, ada["access_token"])).status_code == 204
    assert not any((await house.store.read(lambda tx: counts(tx, ids[0]))).values())
    assert await house.store.read(lambda tx: counts(tx, ids[1])) == before
    assert await house.rows("SELECT email FROM users") == [(f"{theirs}@example.com",)]
    assert set(
        await house.rows("SELECT action, address, detail, actor_id FROM audit WHERE subject_id = ?", ids[0])
    ) == {(action, None, None, None) for action in ("registered", "signed_in", "session_revoked", "deletion")}
    deadline = time.monotonic() + 10
    while left := [path.name for path in tmp_path.glob("quintet.db*") if mine.encode() in path.read_bytes()]:
        assert time.monotonic() < deadline, left
    assert any(theirs.encode() in path.read_bytes() for path in tmp_path.glob("quintet.db*"))


async def test_the_way_out_is_the_password(house: House) -> None:
    """A stolen access token alone deletes nothing; after the right password the token is dead and the address is free."""
    told = await house.register(ADA)
    assert refused(await delete(house, told["access_token"], None)) == (401, "credentials_wrong")
    assert refused(await delete(house, told["access_token"], "violet anchor 78 marmalade")) == (
        401,
        "credentials_wrong",
    )
    assert (await delete(house, told["access_token"])).status_code == 204
    assert (await house.me(told["access_token"])).status_code == 401
    assert refused(await house.refresh(told["refresh_token"])) == (401, "invalid_token")
    assert refused(await house.login(ADA)) == (401, "credentials_wrong")
    again = await house.register(ADA)
    assert again["user"]["id"] != told["user"]["id"]


async def test_who_has_no_password_has_to_have_signed_in_just_now(house: House, clock: Clock) -> None:
    """Another provider vouches for them: 403 with a session of six minutes, 204 with a fresh one; a password is not asked for."""
    old = await house.register(ADA)
    clock.forward(seconds=360)
    fresh = expect(await house.login(ADA), 200)
    await house.change("UPDATE users SET password_hash = ''")
    answer = await delete(house, old["access_token"], None)
    assert refused(answer) == (403, "forbidden")
    assert "Sign in again" in answer.json()["detail"]
    assert (await delete(house, fresh["access_token"], None)).status_code == 204


async def test_it_goes_in_portions_and_is_finished_after_a_crash(open_house: Opener) -> None:
    """Nobody can enter from the first transaction on; each portion is bounded; what a dead process had begun, the next start finishes."""
    said = word()
    rows = {"events": 900, "attachments": 9, "messages": 90, "gone_digests": 900}
    async with open_house() as house:
        told = await house.register(ADA, name=said)
        user_id = told["user"]["id"]
        await house.store.write("", lambda tx: fill(tx, user_id, said, rows))
        assert await house.store.write("", lambda tx: begin(tx, user_id, Moment(1, b"x" * 16)))
        assert not await house.store.write("", lambda tx: begin(tx, user_id, Moment(1, b"x" * 16)))
        assert (await house.me(told["access_token"])).status_code == 401
        assert refused(await house.login(ADA)) == (401, "credentials_wrong")
        left = sum((await house.store.read(lambda tx: counts(tx, user_id))).values())
        for _ in range(3):
            assert not await house.store.write("", lambda tx: take_portion(tx, user_id))
            now = sum((await house.store.read(lambda tx: counts(tx, user_id))).values())
            assert 0 < left - now <= 600, "a portion takes some, and not too much"
            left = now
        assert left > 100
    async with open_house() as house:
        assert not any((await house.store.read(lambda tx: counts(tx, user_id))).values())
        assert await house.rows("SELECT count(*) FROM users") == [(0,)]


# --- export -----------------------------------------------------------------------------------------------------------


def test_every_owned_table_is_told_or_has_a_reason() -> None:
    """A new table with a user fails here until somebody decides whether it belongs into the file; so does a column that is none."""
    assert {table.name for table in owned()} == set(SHOWN) | set(UNSHOWN)
    for table in owned():
        assert set(SHOWN.get(table.name, ())) <= set(table.c.keys())
        assert not {"digest", "sealed_secret", "password_hash", "public_key"} & set(SHOWN.get(table.name, ()))


async def test_the_file_has_everything_of_the_user_and_nothing_else(house: House) -> None:
    """Every told table with all its rows, also where they are more than one page; no hash, digest or sealed secret; nothing of another user."""
    mine, theirs = word(), word()
    ada, bob = await house.register(ADA, name=mine), await house.register("bob@example.com", name=theirs)
    rows = {"messages": 25, "threads": 205, "attachments": 3}
    await house.store.write("", lambda tx: fill(tx, ada["user"]["id"], mine, rows))
    await house.change("DELETE FROM events")
    await house.change("DELETE FROM deletions")
    await house.store.write("", lambda tx: fill(tx, bob["user"]["id"], theirs))
    told = await export(house, ada["access_token"])
    assert told["user"]["email"] == ADA
    assert {name: len(told[name]) for name in SHOWN} == {
        name: 2 if name in {"sessions", "devices"} else rows.get(name, 1) for name in SHOWN
    }
    assert sorted(thread["id"] for thread in told["threads"]) == sorted(f"thre-{mine}-{n}" for n in range(205))
    assert [entry["action"] for entry in told["activity"]] == ["exported", "signed_in", "registered"]
    text = json.dumps(told)
    assert theirs not in text
    for table, column in (("users", "password_hash"), ("recovery_codes", "digest"), ("totps", "sealed_secret")):
        for (value,) in await house.rows(f"SELECT {column} FROM {table}"):
            assert (value if isinstance(value, str) else value.decode("latin-1")) not in text


async def test_exports_have_a_rate(house: House, clock: Clock) -> None:
    """Ten an hour; and none begins while a conversation is being deleted."""
    told = await house.register(ADA)
    for _ in range(10):
        await export(house, told["access_token"])
    answer = await house.http.get("/v1/auth/me/export", headers=bearer(told["access_token"]))
    assert refused(answer) == (429, "rate_limited")
    clock.forward(seconds=3601)
    told = expect(await house.login(ADA), 200)
    await house.store.write("", lambda tx: fill(tx, told["user"]["id"], word()))
    answer = await house.http.get("/v1/auth/me/export", headers=bearer(told["access_token"]))
    assert refused(answer) == (503, "busy")


# --- what happened ----------------------------------------------------------------------------------------------------


async def test_recent_activity_is_ones_own(house: House) -> None:
    """The newest first, page by page, with where it came from; an administrator's act without who it was; nothing of another user."""
    ada, bob = await house.register(ADA), await house.register("bob@example.com")
    expect(await house.login(ADA, device="laptop"), 200)
    assert refused(await house.login(ADA, "violet anchor 78 marmalade")) == (401, "credentials_wrong")
    await house.change(
        "INSERT INTO audit (at, action, subject_id, actor_id, address) VALUES (1, 'enabled', ?, ?, '10.0.0.1')",
        ada["user"]["id"],
        bob["user"]["id"],
    )
    headers = bearer(ada["access_token"])
    first = expect(await house.http.get("/v1/auth/activity?limit=2", headers=headers), 200)
    assert [entry["action"] for entry in first["items"]] == ["enabled", "sign_in_failed"]
    assert first["items"][0]["by"] == "administrator"
    assert bob["user"]["id"] not in json.dumps(first)
    rest = expect(await house.http.get(f"/v1/auth/activity?before={first['next']}", headers=headers), 200)
    assert [entry["action"] for entry in rest["items"]] == ["signed_in", "signed_in", "registered"]
    assert rest["items"][0]["detail"] == {"how": "password", "device": "laptop"}
    assert rest["items"][0]["address"] == "127.0.0.1"
    assert "next" not in rest

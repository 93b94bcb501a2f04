"""Sign-in against a real server: real processes, real HTTP, real storage, restarts and kill -9."""

import asyncio
import secrets
import statistics
import time
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from accounts.real import http_json, me, post, refused
from quintet.testing.accounts.account import Account, good_passphrase, http_client, random_address
from quintet.testing.accounts.factory import UserFactory
from support.server import Factory, Server

pytestmark = pytest.mark.l3


async def test_sign_up_and_sign_in(server: Server, user_factory: UserFactory) -> None:
    """An account made over HTTP signs in again from another device, and both tokens say who it is."""
    account = user_factory(server)
    other = account.again()
    answers = [(await me(server, token)).json() for token in (account.access_token, other.access_token)]
    assert answers == [account.user, account.user]
    assert account.session_id != other.session_id
    listed = (await account.get("/v1/auth/sessions"))["items"]
    assert {(item["device"], item["current"]) for item in listed} == {("a test", True), ("another device", False)}


async def test_five_sign_ups_at_once_make_one_account(server: Server) -> None:
    """The same address in any letter case: one 201, four 409."""
    address = random_address()
    spellings = [address, address.upper(), address.title(), address.swapcase(), address]
    answers = await asyncio.gather(
        *(post(server, "/v1/auth/register", {"email": e, "password": good_passphrase()}) for e in spellings)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {refused(answer) for answer in answers if answer.status_code == 409} == {(409, "email_taken")}


async def test_five_sign_ins_at_once_are_five_sessions(server: Server, user_factory: UserFactory) -> None:
    """Each device gets its own."""
    account = user_factory(server)
    others = await asyncio.gather(*(asyncio.to_thread(account.again) for _ in range(5)))
    assert len({account.session_id, *(other.session_id for other in others)}) == 6


async def test_wrong_password_and_unknown_user_look_and_take_the_same(
    server: Server, user_factory: UserFactory
) -> None:
    """Status, bytes and time tell nobody whether there is such an account."""
    told: list[set[str]] = [set(), set()]
    times: list[list[float]] = [[], []]
    for _ in range(4):
        account = user_factory(server)
        for kind, email in enumerate((account.email, random_address())):
            begun = time.perf_counter()
            answer = await post(server, "/v1/auth/login", {"email": email, "password": good_passphrase()})
            times[kind].append(time.perf_counter() - begun)
            assert refused(answer) == (401, "credentials_wrong")
            told[kind].add(answer.text.replace(answer.json()["request_id"], ""))
    assert told[0] == told[1]
    known, unknown = (statistics.median(taken) for taken in times)
    assert 0.5 < known / unknown < 2, f"a known user took {known:.3f} s, an unknown one {unknown:.3f} s"


async def test_guessing_is_throttled_and_says_for_how_long(server: Server, user_factory: UserFactory) -> None:
    """Five failures, then 429 with Retry-After, for the right password too; another account is not touched."""
    account, other = user_factory(server), user_factory(server)
    body = {"email": account.email, "password": good_passphrase()}
    answers = [await post(server, "/v1/auth/login", body) for _ in range(6)]
    assert [refused(a)[1] for a in answers] == ["credentials_wrong"] * 5 + ["rate_limited"]
    answer = await post(server, "/v1/auth/login", {"email": account.email.upper(), "password": account.password})
    assert refused(answer) == (429, "rate_limited")
    assert 0 < int(answer.headers["retry-after"]) <= 300
    other.again()


async def test_nothing_secret_is_on_disk_or_in_the_log(server: Server, user_factory: UserFactory) -> None:
    """Passwords and tokens are neither in the database's files nor in a line of the log, however the request went."""
    account = user_factory(server)
    pair = (await post(server, "/v1/auth/refresh", {"refresh_token": account.refresh_token})).json()
    wrong = good_passphrase()
    await post(server, "/v1/auth/login", {"email": account.email, "password": wrong})
    await post(server, "/v1/auth/login", {"email": account.email, "password": wrong, "extra": wrong})
    async with http_client(server) as http:
        assert refused(await http.get(f"/v1/auth/me?access_token={account.access_token}")) == (400, "token_in_url")
    canaries = (
        account.password,
        wrong,
        account.access_token,
        account.access_token.rpartition(".")[2],
        account.refresh_token,
        pair["refresh_token"],
        pair["access_token"].rpartition(".")[2],
    )
    places = {file: file.read_bytes() for file in (*server.data.rglob("*"), server.log) if file.is_file()}
    for canary in canaries:
        for file, content in places.items():
            assert canary.encode() not in content, f"a secret lies in {file.name}"


async def test_a_restart_after_a_kill_keeps_everybody_signed_in(
    server_factory: Factory, user_factory: UserFactory
) -> None:
    """Accounts, sessions, keys and refresh tokens survive kill -9; a logout survives it too."""
    server = server_factory()
    kept, gone = user_factory(server), user_factory(server)
    assert (await gone.http.post("/v1/auth/logout")).status_code == 204
    before = (await http_json(server, "/.well-known/jwks.json"))["keys"]
    server.restart()
    assert (await me(server, kept.access_token)).json() == kept.user
    assert refused(await me(server, gone.access_token)) == (401, "session_revoked")
    assert (await http_json(server, "/.well-known/jwks.json"))["keys"] == before
    assert (await post(server, "/v1/auth/refresh", {"refresh_token": kept.refresh_token})).status_code == 200


async def test_an_answer_lost_in_a_crash_can_be_had_again(server_factory: Factory, user_factory: UserFactory) -> None:
    """The server dies after rotating; the client that lost the answer repeats its attempt and gets the same successor."""
    server = server_factory()
    account = user_factory(server)
    body = {"refresh_token": account.refresh_token, "attempt_id": secrets.token_hex(16)}
    first = (await post(server, "/v1/auth/refresh", body)).json()
    server.restart()
    again = await post(server, "/v1/auth/refresh", body)
    assert (again.status_code, again.json()["refresh_token"]) == (200, first["refresh_token"])
    assert (await me(server, again.json()["access_token"])).json() == account.user


async def test_a_changed_secret_ends_access_tokens_only(
    server_factory: Factory, tmp_path: Path, user_factory: UserFactory
) -> None:
    """Whoever changes the secret ends every access token; a refresh token brings a new one, signed by a new key."""
    environment = {"QUINTET_SECRET_KEY": "first-" + secrets.token_urlsafe(48)}
    server = server_factory(environment=environment)
    account = user_factory(server)
    server.environment["QUINTET_SECRET_KEY"] = "second-" + secrets.token_urlsafe(48)
    server.restart()
    assert refused(await me(server, account.access_token)) == (401, "invalid_token")
    pair = (await post(server, "/v1/auth/refresh", {"refresh_token": account.refresh_token})).json()
    assert (await me(server, pair["access_token"])).json() == account.user


async def test_a_browser_signs_in_refreshes_and_signs_out(server: Server) -> None:
    """The cookie's whole life over a real connection, named after the server's port, refused to any other page."""
    headers = {"X-Quintet-Client": "web", "Origin": server.url}
    body = {"email": random_address(), "password": good_passphrase()}
    answer = await post(server, "/v1/auth/register", body, headers=headers)
    told = answer.json()
    assert answer.status_code == 201
    assert "refresh_token" not in told
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    assert morsel.key == f"__Host-quintet-{server.port}"
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, True, "strict", "/")
    cookie = {"Cookie": f"{morsel.key}={morsel.value}"}
    for origin in ("null", "https://evil.test", f"http://localhost:{server.port + 1}"):
        answer = await post(server, "/v1/auth/refresh", headers={**headers, **cookie, "Origin": origin})
        assert refused(answer) == (403, "forbidden")
    answer = await post(server, "/v1/auth/refresh", headers={**headers, **cookie})
    assert answer.status_code == 200
    (fresh,) = SimpleCookie(answer.headers["set-cookie"]).values()
    answer = await post(server, "/v1/auth/logout", headers={**headers, "Cookie": f"{fresh.key}={fresh.value}"})
    assert answer.status_code == 204
    assert refused(await me(server, told["access_token"])) == (401, "session_revoked")


async def test_one_accounts_sessions_end_by_device(server: Server, user_factory: UserFactory) -> None:
    """One device signs another out, and only its own; a foreign session is the 404 of one that never was."""
    account, foreign = user_factory(server), user_factory(server)
    other = account.again()
    assert (await account.http.delete(f"/v1/auth/sessions/{other.session_id}")).status_code == 204
    assert refused(await me(server, other.access_token)) == (401, "session_revoked")
    answers = [
        await account.http.delete(f"/v1/auth/sessions/{session_id}") for session_id in (foreign.session_id, "ses_never")
    ]
    assert [refused(answer) for answer in answers] == [(404, "not_found")] * 2
    assert len({answer.text.replace(answer.json()["request_id"], "") for answer in answers}) == 1
    await _signed_in(account, foreign)


async def test_a_new_password_ends_all_other_sessions(server: Server, user_factory: UserFactory) -> None:
    """The device that changed it stays, the others are out, the old password is worth nothing."""
    account = user_factory(server)
    other = account.again()
    new = good_passphrase()
    answer = await account.http.post("/v1/auth/password", json={"current": account.password, "new": new})
    assert answer.status_code == 204
    assert refused(await me(server, other.access_token)) == (401, "session_revoked")
    await _signed_in(account)
    body = {"email": account.email, "password": account.password}
    assert refused(await post(server, "/v1/auth/login", body)) == (401, "credentials_wrong")
    assert (await post(server, "/v1/auth/login", {**body, "password": new})).status_code == 200


async def _signed_in(*accounts: Account) -> None:
    for account in accounts:
        assert (await account.get("/v1/auth/me")) == account.user

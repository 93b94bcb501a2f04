"""`quintet user …` beside a running server, and what the server makes of it."""

import sys
import time
from contextlib import closing

import pytest

from administration.operator import Operator
from command_line.commands import clean
from quintet.testing.accounts.account import good_passphrase, http_client, random_address
from quintet.testing.contracts import whole
from support.world import World
from terminal.person import Typing

pytestmark = pytest.mark.l3


async def test_a_user_added_beside_signs_in(operator: Operator) -> None:
    """The password comes from a pipe; the user signs in at the running server at once, with name and role, and is in the list."""
    email, password = random_address(), good_passphrase()
    done = await operator.fine("user", "add", email, "--name", "Ada", "--admin", given=f"{password}\n".encode())
    assert (done.out, password in done.said) == ("", False)
    listed = await operator.listed(email)
    assert (listed["name"], listed["role"], listed["sessions"]) == ("Ada", "admin", 0)
    async with http_client(operator.server) as http:
        answer = await http.post("/v1/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["user"]["id"], answer.json()["user"]["role"]) == (listed["id"], "admin")
    told = (await operator.fine("user", "list")).out.splitlines()
    row = next(line for line in told if email in line)
    assert row.split()[:3] == [listed["id"], email, "admin"]
    assert row.split()[6] == "1", "a line of the list is not folded, and counts the session"


async def test_a_generated_password_is_printed_once_and_alone(operator: Operator) -> None:
    """Standard output is the password and nothing else, and it signs in."""
    email = random_address()
    done = await operator.fine("user", "add", email, "--generate")
    password = done.out.removesuffix("\n")
    assert len(password) >= 24
    assert password not in done.said
    async with http_client(operator.server) as http:
        answer = await http.post("/v1/auth/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text


async def test_a_disabled_user_is_out_within_five_seconds(world: World, operator: Operator) -> None:
    """P8: sockets are closed 4501 within 5 s, a stream ends; tokens are dead at once; nobody else notices; the list says so."""
    alice, bob = await world.users(2)
    other = await world.again(alice)
    following = await world.device(alice, name="following")
    quiet = await world.device(other, after=None, name="quiet")
    bystander = await world.device(bob, name="bystander")
    stream = await world.stream(alice)
    await operator.fine("user", "disable", alice.email)
    done = time.monotonic()
    for account in (alice, other):
        refused = await account.http.get("/v1/auth/me")
        assert (refused.status_code, refused.json()["code"]) == (401, "session_revoked")
        async with http_client(operator.server) as http:
            renewed = await http.post("/v1/auth/refresh", json={"refresh_token": account.refresh_token})
            signed = await http.post("/v1/auth/login", json={"email": alice.email, "password": alice.password})
        assert (renewed.status_code, renewed.json()["code"]) == (401, "session_revoked")
        assert signed.status_code == 403
    for device in (following, quiet):
        assert await device.closed(8) == (4501, "session_revoked")
        assert device.closed_at - done < 5, device.shown("the socket outlived its user by more than 5 s")
    await stream.ended(8)
    listed = await operator.listed(alice.email)
    assert (listed["sessions"], "disabled_at" in listed) == (0, True)
    whole(await bystander.tell("undisturbed", "echo"))
    await operator.fine("user", "enable", alice.id)
    again = await world.again(alice)
    whole(await (await world.device(again, name="again")).tell("back again", "echo"))
    assert (await alice.http.get("/v1/auth/me")).status_code == 401, "enabling revives no token"


def test_a_password_is_typed_twice(operator: Operator) -> None:
    """On a terminal it is not shown; what the rules refuse or what differs is asked for again."""
    email, password = random_address(), good_passphrase()
    words = [sys.executable, "-m", "quintet", "user", "add", email, *operator.data]
    with closing(Typing(words, operator.folder, clean({"TERM": "xterm-256color"}))) as terminal:
        terminal.shows("Password: ")
        terminal.type("too short\n")
        terminal.shows("at least 15")
        for second, told in (("another one", "not the same"), (password, f"Added {email}")):
            terminal.settles("Password: ")
            terminal.type(f"{password}\n")
            terminal.settles("Password again: ")
            terminal.type(f"{second}\n")
            terminal.shows(told)
        assert terminal.ended() == 0, terminal.screen
        assert password not in terminal.screen


def test_ctrl_c_ends_the_question_at_once(operator: Operator) -> None:
    """Nobody is added, and there is no stack trace."""
    words = [sys.executable, "-m", "quintet", "user", "add", random_address(), *operator.data]
    with closing(Typing(words, operator.folder, clean({"TERM": "xterm-256color"}))) as terminal:
        terminal.shows("Password: ")
        terminal.interrupt()
        assert terminal.ended(5) == 1, terminal.screen
        assert "Traceback" not in terminal.screen


async def test_a_deleted_user_is_gone_within_five_seconds(world: World, operator: Operator) -> None:
    """Not without `--yes` from a pipe. Then sockets close 4501 within 5 s, tokens are dead, the address is free, the database has nothing
    of them but ids and actions in the audit; nobody else notices."""
    alice, bob = await world.users(2)
    device, bystander = await world.device(alice), await world.device(bob, name="bystander")
    refused = await operator.run("user", "delete", alice.email)
    assert (refused.code, "--yes" in refused.said) == (2, True)
    assert (await alice.http.get("/v1/auth/me")).status_code == 200
    await operator.fine("user", "delete", alice.email, "--yes")
    done = time.monotonic()
    assert await device.closed(6) == (4501, "session_revoked")
    assert device.closed_at - done < 5, device.shown("the socket outlived its user by more than 5 s")
    assert (await alice.http.get("/v1/auth/me")).status_code == 401
    assert (await operator.run("user", "delete", alice.email, "--yes")).code == 1
    assert "deletion" in (await operator.fine("user", "audit", alice.id)).out
    assert alice.email not in (await operator.fine("user", "list")).out
    assert bystander.close_code is None

"""Signing the terminal in and out."""

import json
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyotp import TOTP

from support.server import Factory
from terminal.person import Person

pytestmark = pytest.mark.l3


def test_a_sign_in_is_kept_for_its_owner_alone(stranger: Person) -> None:
    """Registering through a pipe signs in; the file is 0600 in a folder 0700, holds no password, and nothing secret is printed."""
    done = stranger.run(
        "login", "--register", "--url", stranger.server.url, given=f"{stranger.email}\n{stranger.password}\n"
    )
    assert done.returncode == 0, done.stderr
    assert stranger.email in done.stderr
    [file] = stranger.sessions
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    kept = json.loads(file.read_text())
    assert stranger.password not in file.read_text()
    assert kept["refresh_token"] not in done.stdout + done.stderr
    assert stranger.password not in done.stdout + done.stderr


def test_signing_in_again_ends_the_earlier_session(person: Person) -> None:
    """The sign-in that is replaced does not live on at the server."""
    earlier = json.loads(person.sessions[0].read_text())["refresh_token"]
    done = person.run("login", "--url", person.server.url, given=f"{person.email}\n{person.password}\n")
    assert done.returncode == 0, done.stderr
    assert json.loads(person.sessions[0].read_text())["refresh_token"] != earlier
    assert person.run("chat", "--agent", "echo", "hello").returncode == 0


def test_a_wrong_password_is_one_line(person: Person) -> None:
    """Exit 1 and the server's sentence; what was kept stays."""
    done = person.run("login", "--url", person.server.url, given=f"{person.email}\nnot the password at all\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == ["The address or the password is wrong."]
    assert len(person.sessions) == 1


def test_at_a_terminal_the_password_is_not_shown(stranger: Person) -> None:
    """The address and, unseen and twice, the password are asked for; a slip is asked for again."""
    terminal = stranger.sit_down("login", "--register", "--url", stranger.server.url)
    for password in ("short", stranger.password):
        terminal.shows("E-mail: ")
        terminal.raw = b""
        terminal.type(f"{stranger.email}\n")
        terminal.shows("Password: ")
        terminal.type(f"{password}\n")
        terminal.shows("Password again: ")
        terminal.type(f"{password}\n")
        if password == "short":
            assert "at least 15 characters" in terminal.shows("characters")
    assert terminal.ended() == 0
    assert "Signed in as" in terminal.screen
    assert stranger.password not in terminal.screen


def test_a_second_factor_is_asked_for(person: Person) -> None:
    """At a terminal the code is asked for, a wrong one again; through a pipe it is the third line; it is printed nowhere."""
    with _over_http(person) as account:
        secret = _posted(account, "/v1/auth/factor", {"password": person.password})["secret"]
        code = TOTP(secret).now()
        recovery = _posted(account, "/v1/auth/factor/confirm", {"code": code})["recovery_codes"]
    terminal = person.sit_down("login", "--url", person.server.url)
    terminal.shows("E-mail: ")
    terminal.type(f"{person.email}\n")
    terminal.shows("Password: ")
    terminal.type(f"{person.password}\n")
    terminal.shows("Code of your second factor: ")
    terminal.type(f"{code}\n")
    terminal.shows("This code is wrong, or was used before.")
    terminal.type(f"{recovery[0]}\n")
    terminal.shows(f"Signed in as {person.email}")
    assert terminal.ended() == 0
    lines = f"{person.email}\n{person.password}\n{recovery[1]}\n"
    done = person.run("login", "--url", person.server.url, given=lines)
    assert (done.returncode, recovery[1] in done.stderr + done.stdout) == (0, False), done.stderr
    done = person.run("login", "--url", person.server.url, given=lines)
    assert (done.returncode, done.stderr.splitlines()) == (1, ["This code is wrong, or was used before."])


def _over_http(person: Person) -> httpx.Client:
    """The person's account over HTTP."""
    with httpx.Client(base_url=person.server.url, trust_env=False) as nobody:
        told = nobody.post("/v1/auth/login", json={"email": person.email, "password": person.password}).json()
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    return httpx.Client(base_url=person.server.url, trust_env=False, headers=headers)


def _posted(http: httpx.Client, path: str, body: dict[str, str]) -> dict[str, Any]:
    """The answer to a POST that must succeed."""
    answer = http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_signing_out_ends_the_session_at_the_server(person: Person) -> None:
    """The file is gone, and the token in it counts no more; a second sign-out is fine."""
    copy = person.sessions[0].read_text()
    file = person.sessions[0]
    done = person.run("logout")
    assert (done.returncode, person.sessions) == (0, []), done.stderr
    assert person.run("logout").returncode == 0
    file.write_text(copy)
    done = person.run("chat", "--agent", "echo", "hello")
    assert done.returncode == 1
    assert "quintet login" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nobody_is_signed_in(stranger: Person) -> None:
    """One line that says where, and how to sign in."""
    for command in (["chat", "hello"], ["events"]):
        done = stranger.run(*command, "--url", stranger.server.url)
        assert (done.returncode, done.stdout) == (1, "")
        [line] = done.stderr.splitlines()
        assert stranger.server.url in line
        assert f"quintet login --url {stranger.server.url}" in line


def test_no_server_answers(server_factory: Factory, tmp_path: Path) -> None:
    """One line with the address, what was found there, and what to do; the sign-in stays."""
    server = server_factory()
    person = Person(server, tmp_path)
    person.register()
    server.kill()
    for command in (["chat", "hello"], ["events"], ["logout"]):
        done = person.run(*command)
        assert (done.returncode, done.stdout) == (1, "")
        [line] = done.stderr.splitlines()
        assert f"{server.url} does not answer (connection refused)" in line or "refused" in line, line
        assert "quintet serve --dev" in line
    assert len(person.sessions) == 1


def test_machines_bring_their_token(person: Person, tmp_path: Path) -> None:
    """QUINTET_TOKEN wins over a sign-in; one that does not count is named, and not shown."""
    done = person.run("chat", "hello", QUINTET_TOKEN="made-up-token")
    assert done.returncode == 1
    assert "QUINTET_TOKEN" in done.stderr
    assert "made-up-token" not in done.stderr


def test_a_wrong_address_is_wrong_usage(stranger: Person) -> None:
    """Exit 2 and how an address looks."""
    done = stranger.run("chat", "hello", "--url", "localhost:8750")
    assert done.returncode == 2
    assert "http://localhost:8750" in done.stderr


def test_two_processes_share_one_sign_in(person: Person) -> None:
    """Six commands at once renew one after another: all work, and the sign-in lives."""
    running = [person.begin("chat", "--agent", "echo", f"number {n}") for n in range(6)]
    outputs = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * 6, outputs
    assert person.run("chat", "--agent", "echo", "after").returncode == 0

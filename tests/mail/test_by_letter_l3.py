"""Letters against a real server: real sockets, real processes, the mailbox of development."""

import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import httpx
import pytest

from quintet.testing.accounts.account import good_passphrase, http_client, random_address, register
from support.checks.letters import (
    check_a_link_is_good_once,
    check_looking_at_a_link_uses_nothing_up,
    check_reset_closes_sockets,
    letters_of,
    token_from,
)
from support.server import Factory, Server
from support.world import World

pytestmark = pytest.mark.l3

TRIES = 12


async def test_a_reset_closes_every_socket(world: World) -> None:
    """4501 under a second after the answer, on all devices of the user and nobody else's; tokens are dead at once."""
    await check_reset_closes_sockets(world)


async def test_a_link_is_good_once(world: World) -> None:
    """Of two uses at once one wins; later ones are refused."""
    await check_a_link_is_good_once(world)


async def test_looking_at_a_link_uses_nothing_up(world: World) -> None:
    """Whatever fetches it first."""
    await check_looking_at_a_link_uses_nothing_up(world)


async def test_a_forgotten_password_of_nobody_looks_and_takes_the_same(
    server: Server, figure: Callable[[str], None]
) -> None:
    """Bytes and time tell nobody whether there is such an account: what differs happens after the answer."""
    known = register(server).email
    told: dict[str, set[bytes]] = {"known": set(), "unknown": set()}
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    async with http_client(server) as http:
        for turn in range(2 * TRIES):
            kind = ("known", "unknown")[turn % 2]
            body = {"email": known if kind == "known" else random_address()}
            begun = time.perf_counter()
            answer = await http.post("/v1/auth/password/forgot", json=body)
            times[kind].append(time.perf_counter() - begun)
            assert answer.status_code == 202
            told[kind].add(answer.content)
    assert told["known"] == told["unknown"] == {b""}
    middle = {kind: statistics.median(found) for kind, found in times.items()}
    figure(f"known {1000 * middle['known']:.1f} ms, unknown {1000 * middle['unknown']:.1f} ms")
    assert 0.4 < middle["known"] / middle["unknown"] < 2.5, middle


async def test_what_is_in_a_letter_is_in_no_log_and_no_table(server_factory: Factory) -> None:
    """Tokens and new passwords stand neither in the log nor in the database, addresses not in the log, however the letter was used; and the
    figures count letters."""
    server = server_factory()
    box, account, new = letters_of(server), register(server), good_passphrase()
    account.again("a phone from " + secrets.token_hex(3) + " letters")
    async with http_client(server) as http:
        await http.post("/v1/auth/password/forgot", json={"email": account.email})
        token = await token_from(box, account.email, "Choose a new password")
        body = {"token": token, "new": new}
        assert [(await http.post("/v1/auth/password/reset", json=body)).status_code for _ in range(2)] == [204, 401]
        metrics = (await http.get("/metrics")).text
    assert 'quintet_letters_total{what="sent"}' in metrics
    files = [file for file in server.data.rglob("*") if file.is_file() and file.suffix != ".eml"]
    for canary in (token, new):
        for file in (*files, server.log):
            assert canary.encode() not in file.read_bytes(), f"a secret lies in {file.name}"
    assert account.email.encode() not in server.log.read_bytes()


def test_the_operator_invites_beside_a_running_server(server_factory: Factory) -> None:
    """Strangers are refused; the link of the command line lets one in, with its role, once; the database has no invitation in the clear."""
    server = server_factory(environment={"QUINTET_SIGN_UP": "invite"})
    line = [sys.executable, "-m", "quintet", "user", "invite", "--role", "admin", "--dev", "--data", str(server.data)]
    environment = {**server.environment, "QUINTET_PORT": str(server.port)}
    made = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=True)
    link = made.stdout.strip()
    assert link.startswith(f"{server.url}/#/invite/qi_"), made
    assert "as admin, for 7 days" in made.stderr
    invite = link.rpartition("/")[2]
    bodies = [{"email": random_address(), "password": good_passphrase()} for _ in range(3)]
    with httpx.Client(base_url=server.url, trust_env=False, timeout=20) as http:
        assert http.post("/v1/auth/register", json=bodies[0]).status_code == 403
        told = http.post("/v1/auth/register", json={**bodies[1], "invite": invite})
        assert (told.status_code, told.json()["user"]["role"]) == (201, "admin")
        assert http.post("/v1/auth/register", json={**bodies[2], "invite": invite}).status_code == 403
    for file in server.data.rglob("*"):
        assert not file.is_file() or invite.encode() not in file.read_bytes()

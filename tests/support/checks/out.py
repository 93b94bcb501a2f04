"""P8 and P11: out is out, a forged token opens nothing, and a missing secret is an error."""

import os
import subprocess
import sys
import time
from pathlib import Path

from quintet.testing.accounts.account import http_client
from support.forging import part, read_part
from support.server import TESTS
from support.world import World

__all__ = [
    "check_a_missing_secret_stops_the_start",
    "check_a_revoked_key_opens_nothing",
    "check_an_unsigned_token_opens_nothing",
    "check_logout_closes_sockets",
]


async def check_logout_closes_sockets(world: World) -> None:
    """4501 within 1 s on a socket of the session that has logged out."""
    alice = await world.user()
    device = await world.device(alice)
    begun = time.monotonic()
    assert (await alice.http.post("/v1/auth/logout")).status_code == 204
    assert await device.closed(3) == (4501, "session_revoked")
    assert device.closed_at - begun < 1, device.shown("the socket outlived its session by more than 1 s")


async def check_an_unsigned_token_opens_nothing(world: World) -> None:
    """`alg` none, and a signature that is not ours: 401."""
    alice = await world.user()
    header, claims, _ = alice.access_token.split(".")
    for made in (f"{part({**read_part(header), 'alg': 'none'})}.{claims}.", f"{header}.{claims}.{'A' * 86}"):
        async with http_client(world.server, made) as http:
            answer = await http.get("/v1/auth/me")
        assert answer.status_code == 401, f"a forged token opened {answer.text}"


async def check_a_revoked_key_opens_nothing(world: World) -> None:
    """An API key that was revoked: 401 at once, and 4501 on its socket."""
    alice = await world.user()
    body = {"name": "a program", "password": alice.password}
    key = (await alice.http.post("/v1/auth/keys", json=body)).json()
    device = await world.connect.device(world.server, key["key"], name="a program")
    assert (await alice.http.delete(f"/v1/auth/keys/{key['id']}")).status_code == 204
    async with http_client(world.server, key["key"]) as http:
        answer = await http.get("/v1/auth/me")
    assert answer.status_code == 401, f"a revoked key opened {answer.text}"
    assert await device.closed(3) == (4501, "session_revoked")


def check_a_missing_secret_stops_the_start(home: Path, command: tuple[str, ...] = ("-m", "quintet")) -> None:
    """In production and without a secret: exit code 78 and the variable's name, within seconds."""
    words = [sys.executable, *command, "serve", "--port", "0", "--data", str(home)]
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    env = {**kept, "HOME": str(home), "QUINTET_PUBLIC_URL": "https://chat.example.com"}
    with subprocess.Popen(
        words, cwd=TESTS, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            said, _ = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
    assert process.returncode == 78, f"without a secret the start ended with {process.returncode}\n{said}"
    assert "QUINTET_SECRET_KEY" in said

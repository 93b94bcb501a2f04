"""P8 by letter: a new password ends everything, a link is good once, and looking at one uses nothing up."""

import asyncio
import time

import httpx

from quintet.testing.accounts.account import Account, good_passphrase, http_client, random_address
from quintet.testing.mail.mailbox import Mailbox
from support.server import Server
from support.world import World

__all__ = [
    "check_a_link_is_good_once",
    "check_looking_at_a_link_uses_nothing_up",
    "check_reset_closes_sockets",
    "letters_of",
    "token_from",
]


def letters_of(server: Server) -> Mailbox:
    """The letters of a server in development, from now on."""
    return Mailbox(server.data / "mail", "localhost", 0)


async def token_from(box: Mailbox, email: str, subject: str) -> str:
    """The token in the link of the letter about this."""
    mail = await box.arrived(email, subject)
    return next(link for link in mail.links if "/#/" in link).rpartition("/")[2]


async def _forgotten(world: World, account: Account) -> str:
    box = letters_of(world.server)
    answer = await _post(world, "/v1/auth/password/forgot", email=account.email)
    assert answer.status_code == 202, answer.text
    return await token_from(box, account.email, "Choose a new password")


async def _post(world: World, path: str, **body: str) -> httpx.Response:
    async with http_client(world.server) as http:
        return await http.post(path, json=body)


async def check_reset_closes_sockets(world: World) -> None:
    """4501 within 1 s on every socket of the user, following or not; another user's stays."""
    alice, bob = await world.user(), await world.user()
    other = await world.again(alice)
    devices = [await world.device(alice), await world.device(other), await world.device(other, after=None)]
    kept = await world.device(bob)
    token = await _forgotten(world, alice)
    begun = time.monotonic()
    answer = await _post(world, "/v1/auth/password/reset", token=token, new=good_passphrase())
    assert answer.status_code == 204, answer.text
    took = time.monotonic() - begun  # the hash of the new password is a good part of it
    for device in devices:
        assert await device.closed(3) == (4501, "session_revoked")
        assert device.closed_at - begun < 1 + took, device.shown("the socket outlived the reset by more than 1 s")
    assert kept.close_code is None
    for account in (alice, other):
        refused = await account.http.get("/v1/auth/me")
        assert refused.status_code == 401, f"a token of before the reset opened {refused.text}"


async def check_a_link_is_good_once(world: World) -> None:
    """The second use of a link changes nothing, also when both come at once."""
    alice = await world.user()
    token = await _forgotten(world, alice)
    words = [good_passphrase() for _ in range(3)]
    uses = (_post(world, "/v1/auth/password/reset", token=token, new=new) for new in words[:2])
    statuses = [answer.status_code for answer in await asyncio.gather(*uses)]
    assert sorted(statuses) == [204, 401], f"a link used twice at once was answered {statuses}"
    again = await _post(world, "/v1/auth/password/reset", token=token, new=words[2])
    assert again.status_code == 401, f"a used link was answered {again.status_code}"


async def check_looking_at_a_link_uses_nothing_up(world: World) -> None:
    """Scanners of mail fetch what they find; the person who comes after them can still confirm."""
    alice, new = await world.user(), random_address()
    box = letters_of(world.server)
    async with alice.http as http:
        asked = await http.post("/v1/auth/email", json={"email": new, "password": alice.password})
    assert asked.status_code == 202, asked.text
    token = await token_from(box, new, "Confirm your new address")
    async with http_client(world.server) as http:
        for place in (
            f"/#/verify/{token}",
            f"/verify/{token}",
            f"/v1/auth/email/verify/{token}",
            "/v1/auth/email/verify",
        ):
            for verb in ("GET", "HEAD"):
                await http.request(verb, place)
    answer = await _post(world, "/v1/auth/email/verify", token=token)
    assert answer.status_code == 204, f"a link that was only looked at was answered {answer.status_code}"
    assert (await alice.get("/v1/auth/me"))["email"] == new

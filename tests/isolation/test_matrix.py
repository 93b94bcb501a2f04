"""P6, the matrix: every operation and verb, made as one user, asked as another, as nobody, and as one who has signed out."""

import secrets
from pathlib import Path
from typing import Any

import httpx
import pytest

from administration.operator import Operator
from quintet import protocol
from quintet.testing.accounts.account import Account, http_client
from quintet.testing.contracts import whole
from support.routes import ADMIN, OWNED, ROUTES, VERBS, Route
from support.server import Server
from support.ways_in import passkey_of
from support.world import World

pytestmark = pytest.mark.l3

SELF = tuple(route for route in ROUTES if route.whom == "self")


def test_every_operation_has_a_line(server: Server) -> None:
    """The table names what the server serves, no more and no less: a new route without a line fails here."""
    told = httpx.get(f"{server.url}/v1/openapi.json", trust_env=False).json()
    served = {(verb.upper(), path) for path, verbs in told["paths"].items() for verb in verbs}
    assert served == {(route.verb, route.path) for route in ROUTES}
    guarded = {
        (verb.upper(), path)
        for path, verbs in told["paths"].items()
        for verb, how in verbs.items()
        if "security" in how
    }
    assert guarded == {(route.verb, route.path) for route in ROUTES if route.whom != "open"}


def test_every_verb_has_a_line() -> None:
    """So do the verbs of the socket."""
    assert set(protocol.VERBS) == set(VERBS)


async def _things(world: World, account: Account, word: str) -> dict[str, str]:
    """One thing of each kind that belongs to the user, all marked with the word."""
    device = await world.device(account)
    said = await device.say({"text": word}, agent="echo")
    whole(await device.run(said.run_id))
    await account.http.patch(f"/v1/threads/{said.thread_id}", json={"title": word})
    await account.http.patch("/v1/auth/me", json={"name": word})
    file = await account.attach(f"{word}.txt", word.encode())
    return {
        "thread_id": said.thread_id,
        "run_id": said.run_id,
        "session_id": account.session_id,
        "attachment_id": file,
        "passkey_id": await passkey_of(account, word),
        "user_id": account.id,
        "key_id": (await account.http.post("/v1/auth/keys", json=_key(account, word))).json()["id"],
        "link_id": f"ext_{secrets.token_hex(12)}",
    }


def _key(account: Account, word: str) -> dict[str, str]:
    return {"name": word, "password": account.password}


async def _service(operator: Operator) -> str:
    """The token of a service that was granted something else."""
    added = await operator.fine("client", "add", "a stranger", "--scope", "metrics:read")
    name, secret = added.out.split()
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
    async with http_client(operator.server) as http:
        return str((await http.post("/v1/auth/token", data=form)).json()["access_token"])


async def _ask(http: httpx.AsyncClient, route: Route, ids: dict[str, str]) -> tuple[int, Any, bytes]:
    """Status, code and bytes. Of a stream its first bytes."""
    async with http.stream(route.verb, route.filled(ids), json=route.body) as answer:
        if answer.is_success and not route.ends:
            return answer.status_code, None, b""
        raw = await answer.aread()
    code = answer.json().get("code") if answer.is_error else None
    return answer.status_code, code, raw


async def test_nobody_and_the_signed_out_get_nothing(world: World, tmp_path: Path) -> None:
    """Without a token 401 `unauthenticated`, with one of an ended session or a revoked key 401 `session_revoked`, with one of a service
    401 `invalid_token` (403 where services come in that were granted it), on every operation, whether or not what it names exists;
    nothing of the owner is in any answer, and nothing is changed."""
    word = f"canary{secrets.token_hex(8)}"
    owner = await world.user()
    ids = await _things(world, owner, word)
    never = {name: value[:-12] + secrets.token_hex(6) for name, value in ids.items()}
    gone = await world.again(owner)
    assert (await owner.http.delete(f"/v1/auth/sessions/{gone.session_id}")).status_code == 204
    revoked = (await owner.http.post("/v1/auth/keys", json=_key(owner, word))).json()
    assert (await owner.http.delete(f"/v1/auth/keys/{revoked['id']}")).status_code == 204
    service = await _service(Operator(world.server, tmp_path))
    async with (
        http_client(world.server) as nobody,
        http_client(world.server, revoked["key"]) as keyless,
        http_client(world.server, service) as stranger,
    ):
        callers = (
            (nobody, "unauthenticated"),
            (gone.http, "session_revoked"),
            (keyless, "session_revoked"),
            (stranger, "invalid_token"),
        )
        for route in (*SELF, *OWNED, *ADMIN):
            for http, code in callers:
                for named in (ids, never):
                    status, told, raw = await _ask(http, route, named)
                    known = (
                        http is stranger and route.whom == "admin"
                    )  # some of it is for services that were granted it
                    due = {(401, code), (403, "forbidden")} if known else {(401, code)}
                    assert (status, told) in due, f"{route.name}: {raw.decode()}"
                    assert word.encode() not in raw, f"{route.name} tells a stranger"
    assert (await owner.get(f"/v1/threads/{ids['thread_id']}"))["title"] == word


async def test_what_is_ones_own_shows_nothing_of_another(world: World) -> None:
    """Of every operation about oneself: the answer to one user holds no word and no id of the other, and the owner's does."""
    word = f"canary{secrets.token_hex(8)}"
    owner, other = await world.users(2)
    marks = [mark.encode() for mark in (await _things(world, owner, word)).values()] + [
        word.encode(),
        owner.id.encode(),
    ]
    shown = set()
    for route in SELF:
        if route.verb == "GET":
            _, _, raw = await _ask(other.http, route, {})
            assert not [mark for mark in marks if mark in raw], f"{route.name}: {raw.decode()}"
            _, _, raw = await _ask(owner.http, route, {})
            shown |= {mark for mark in marks if mark in raw}
    assert len(shown) >= 4, "the owner's own answers show too little for this to prove anything"

"""`quintet keys …` and `quintet client …` beside a running server."""

import json
import time
from pathlib import Path

import httpx
import jwt
import pytest

from administration.operator import Operator
from quintet.testing.accounts.account import Account
from support.server import Factory

pytestmark = pytest.mark.l3

FORM = {"grant_type": "client_credentials"}


async def test_keys_are_rotated_beside_a_running_server(
    server_factory: Factory, tmp_path: Path, user_factory: object
) -> None:
    """Too soon is refused with the time to wait; `--now` takes effect within 5 s, and whoever verifies with the keys of before verifies
    the new tokens too; tokens of the old key live on, until it is dropped. The list says which is which, with another secret too."""
    server = server_factory()
    operator = Operator(server, tmp_path)
    user: Account = user_factory(server)  # type: ignore[operator]
    before = jwt.PyJWKSet.from_dict(httpx.get(f"{server.url}/.well-known/jwks.json", trust_env=False).json())
    listed = json.loads((await operator.fine("keys", "list", "--json", "--dev")).out)
    assert [key["state"] for key in listed] == ["active", "next"]
    soon = await operator.run("keys", "rotate", "--dev")
    assert (soon.code, "Wait" in soon.said) == (1, True)
    done = await operator.fine("keys", "rotate", "--now", "--dev")
    until = done.at + 5
    renewed = user.renewed()
    while jwt.get_unverified_header(renewed.access_token)["kid"] != listed[1]["kid"]:
        assert time.monotonic() < until + 5, "the server did not notice"
        renewed = renewed.renewed()
    key = before[listed[1]["kid"]]
    claims = jwt.decode(renewed.access_token, key, ["ES256"], audience="quintet", issuer=None)
    assert claims["sub"] == user.id
    assert httpx.get(f"{server.url}/v1/auth/me", headers=_bearer(user.access_token), trust_env=False).status_code == 200
    foreign = {"QUINTET_SECRET_KEY": "Kq7-2mVx_9pLw4Rt8Yb1Nc6Hd3Gf0Zs5Xa"}
    refused = await operator.run("keys", "rotate", "--now", environment=foreign)
    assert (refused.code, "does not open" in refused.said) == (1, True)
    missing = await operator.run("keys", "list")
    assert (missing.code, "QUINTET_SECRET_KEY is not set" in missing.said) == (78, True)
    dropped = await operator.fine("keys", "rotate", "--drop", "--dev")
    while (
        answer := httpx.get(f"{server.url}/v1/auth/me", headers=_bearer(renewed.access_token), trust_env=False)
    ).is_success:
        assert time.monotonic() < dropped.at + 10, "a dropped key is believed"
    assert answer.json()["code"] == "invalid_token"
    renewed.renewed()
    states = [key["state"] for key in json.loads((await operator.fine("keys", "list", "--json", "--dev")).out)]
    assert states == ["active", "next", "gone", "gone", "gone"]


async def test_a_client_reads_the_figures(server_factory: Factory, tmp_path: Path) -> None:
    """Where the figures are granted: a client with the scope and nobody else, until it is disabled. The secret is printed once."""
    server = server_factory(environment={"QUINTET_METRICS": "granted"})
    operator = Operator(server, tmp_path)
    added = await operator.fine("client", "add", "prometheus", "--scope", "metrics:read")
    name, secret = added.out.split()
    assert secret not in added.said
    assert secret not in (await operator.fine("client", "list", "--json")).out
    other = (await operator.fine("client", "add", "another", "--scope", "users:read")).out.split()
    wrong = await operator.run("client", "add", "too much", "--scope", "everything")
    assert wrong.code == 1

    def token(who: str, what: str) -> str:
        answer = httpx.post(f"{server.url}/v1/auth/token", data=FORM, auth=(who, what), trust_env=False)
        return str(answer.json().get("access_token", answer.json().get("error")))

    def figures(shown: str | None) -> httpx.Response:
        return httpx.get(f"{server.url}/metrics", headers=_bearer(shown) if shown else {}, trust_env=False)

    good = token(name, secret)
    assert "quintet_sockets" in figures(good).text
    assert figures(None).json()["code"] == "unauthenticated"
    assert figures(token(*other)).json()["code"] == "forbidden"
    await operator.fine("client", "disable", name)
    assert figures(good).json()["code"] == "invalid_token"
    assert token(name, secret) == "invalid_client"


async def test_a_service_signs_people_out_and_gives_no_roles(
    server_factory: Factory, tmp_path: Path, user_factory: object
) -> None:
    """As another system does when somebody leaves: it lists, disables, enables with its scopes, and it stands in the audit; without
    them, or for anything else, it is refused, and so is a user's own token."""
    server = server_factory()
    operator = Operator(server, tmp_path)
    user: Account = user_factory(server)  # type: ignore[operator]

    async def service(*scopes: str) -> httpx.Client:
        name, secret = (
            await operator.fine("client", "add", "leavers", *(word for scope in scopes for word in ("--scope", scope)))
        ).out.split()
        answer = httpx.post(f"{server.url}/v1/auth/token", data=FORM, auth=(name, secret), trust_env=False)
        return httpx.Client(base_url=server.url, headers=_bearer(answer.json()["access_token"]), trust_env=False)

    path = f"/v1/admin/users/{user.id}"
    with await service("users:read") as reads, await service("users:read", "users:write") as writes:
        assert [one["id"] for one in reads.get("/v1/admin/users").json()["items"]] == [user.id]
        assert reads.get(f"{path}/sessions").json()["items"][0]["id"] == user.session_id
        for http, verb, where, body in (
            (reads, "PATCH", path, {"disabled": True}),
            (reads, "DELETE", f"{path}/sessions", None),
            (writes, "PATCH", path, {"role": "admin"}),
            (writes, "PATCH", path, {"role": "admin", "disabled": False}),
        ):
            assert http.request(verb, where, json=body).json()["code"] == "forbidden", (verb, where, body)
        for where in ("/v1/admin/audit", "/v1/admin/runs", "/v1/admin/health", "/v1/auth/me", "/v1/threads"):
            assert writes.get(where).json()["code"] == "invalid_token", where
        async with user.http as own:
            assert (await own.get(path)).json()["code"] == "forbidden"
        assert writes.patch(path, json={"disabled": True}).status_code == 200
        assert (
            httpx.get(f"{server.url}/v1/auth/me", headers=_bearer(user.access_token), trust_env=False).status_code
            == 401
        )
        assert writes.patch(path, json={"disabled": False}).status_code == 200
    with httpx.Client(base_url=server.url, headers=_bearer("x.y.z"), trust_env=False) as stranger:
        assert stranger.get(path).json()["code"] == "invalid_token"


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}

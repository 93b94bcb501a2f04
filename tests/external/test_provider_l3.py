"""Signing in with a real provider: the reference implementation of OpenID Connect, which insists on PKCE."""

import secrets

import httpx
import pytest

from external.visitor import Visitor
from quintet.testing.accounts.account import Account
from support.server import Server

pytestmark = pytest.mark.l3

WEB = {"X-Quintet-Client": "web"}


async def at_the_provider(browser: Visitor, server: Server, name: str, address: str | None = None) -> httpx.Response:
    """Sign in there as `name` and agree; the provider's answer that sends the browser back."""
    until = f"{server.url}/"
    page = await browser.go(
        address or f"{server.url}/v1/auth/oidc/house/start", f"{server.url}/v1/auth/oidc/house/callback"
    )
    if page.is_redirect:  # it knows the browser
        return page
    assert page.status_code == 200, page.text
    page = await browser.send(page, until, login=name, password="any")
    if page.is_redirect:
        return page
    return await browser.send(page, until)


async def entered(browser: Visitor, server: Server) -> dict[str, object]:
    """Whom the cookie signs in as, and how."""
    answer = await browser.ask("POST", f"{server.url}/v1/auth/refresh", headers={**WEB, "Origin": server.url}, json={})
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    me = await browser.ask("GET", f"{server.url}/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    return {**me.json(), "token": token}


async def test_a_stranger_signs_in_and_comes_back(house_server: Server, browser: Visitor) -> None:
    """Over the provider's own pages, into an account of their own with the confirmed address; the second time into the same one.
    Nothing that opens anything is in an address, and the way back is good once and in this browser alone."""
    server, name = house_server, f"ada{secrets.token_hex(4)}"
    back = await at_the_provider(browser, server, name)
    address = back.headers["location"]
    answer = await browser.ask("GET", address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?entered=1")
    cookies = [line.lower() for line in answer.headers.get_list("set-cookie") if "quintet-way" not in line]
    assert all(word in cookies[0] for word in ("__host-quintet-", "secure", "httponly", "samesite=strict"))
    me = await entered(browser, server)
    assert (me["email"], me["email_verified"], me["name"]) == (f"{name}@example.com", False, name)
    assert (await browser.ask("GET", address)).headers["location"] == "/?refused=forbidden"
    assert not [url for url in browser.visited if str(me["token"]) in url or "qr_" in url]
    other = Visitor()
    try:
        page = await at_the_provider(other, server, name)
        stolen = page.headers["location"]
        assert (await browser.ask("GET", stolen)).headers["location"] == "/?refused=forbidden"
        page = await at_the_provider(other, server, name)
        assert (await other.ask("GET", page.headers["location"])).headers["location"] == "/?entered=1"
        assert (await entered(other, server))["id"] == me["id"]
    finally:
        await other.close()


async def test_who_refuses_there_is_not_let_in_here(house_server: Server, browser: Visitor) -> None:
    """The provider's `access_denied` is a refusal with words for the page; a provider that nobody knows is 404."""
    page = await browser.go(f"{house_server.url}/v1/auth/oidc/house/start", f"{house_server.url}/")
    cancel = f"{page.url}/abort"
    back = await browser.go(cancel, f"{house_server.url}/")
    assert "error=access_denied" in back.headers["location"]
    assert (await browser.ask("GET", back.headers["location"])).headers["location"] == "/?refused=forbidden"
    assert (await browser.ask("GET", f"{house_server.url}/v1/auth/oidc/nobody/start")).status_code == 404


async def test_a_claimed_address_joins_nobody_and_a_confirmed_one_neither(
    house_server: Server, browser: Visitor, user_factory: object
) -> None:
    """Whoever has an account with a password keeps it for themselves: they sign in and link, with the password, and come in by the
    provider from then on; and the last way in cannot be taken away."""
    server = house_server
    taken, claims = f"eve{secrets.token_hex(4)}", f"claims{secrets.token_hex(4)}"
    owner: Account = user_factory(server, email=f"{taken}@example.com")  # type: ignore[operator]
    other: Account = user_factory(server, email=f"{claims}@example.com")  # type: ignore[operator]
    back = await at_the_provider(browser, server, taken)
    assert (await browser.ask("GET", back.headers["location"])).headers["location"] == "/?refused=email_taken"
    fresh = Visitor()
    try:
        back = await at_the_provider(fresh, server, claims)
        assert (await fresh.ask("GET", back.headers["location"])).headers["location"] == "/?entered=1"
        me = await entered(fresh, server)
        assert me["id"] != other.id
        assert (me["email_verified"], str(me["email"]).endswith("@external.invalid")) == (False, True)
        (link,) = (await own(fresh, server, me))["items"]
        gone = await fresh.ask(
            "DELETE",
            f"{server.url}/v1/auth/identities/{link['id']}",
            headers={"Authorization": f"Bearer {me['token']}"},
        )
        assert gone.json()["code"] == "conflict"
    finally:
        await fresh.close()
    headers = {"Authorization": f"Bearer {owner.access_token}"}
    refused = await browser.ask("POST", f"{server.url}/v1/auth/oidc/house/link", headers=headers, json={})
    assert refused.json()["code"] == "credentials_wrong"
    begun = await browser.ask(
        "POST", f"{server.url}/v1/auth/oidc/house/link", headers=headers, json={"password": owner.password}
    )
    back = await browser.go(begun.json()["address"], f"{server.url}/")  # still signed in at the provider
    assert (await browser.ask("GET", back.headers["location"])).headers["location"] == "/?linked=1"
    again = await browser.go(f"{server.url}/v1/auth/oidc/house/start", f"{server.url}/v1/auth/oidc/house/callback")
    assert (await browser.ask("GET", again.headers["location"])).headers["location"] == "/?entered=1"
    assert (await entered(browser, server))["id"] == owner.id
    (link,) = (await own(browser, server, {"token": owner.access_token}))["items"]
    async with other.http as http:
        assert (await http.delete(f"/v1/auth/identities/{link['id']}")).json()["code"] == "not_found"
    async with owner.http as http:
        path = f"/v1/auth/identities/{link['id']}"
        assert (await http.delete(path)).json()["code"] == "credentials_wrong"
        assert (await http.request("DELETE", path, json={"password": owner.password})).status_code == 204


async def own(browser: Visitor, server: Server, me: dict[str, object]) -> dict[str, list[dict[str, str]]]:
    """Who the account is elsewhere."""
    headers = {"Authorization": f"Bearer {me['token']}"}
    told: dict[str, list[dict[str, str]]] = (
        await browser.ask("GET", f"{server.url}/v1/auth/identities", headers=headers)
    ).json()
    return told

"""What a person does in the page about who else comes in: API keys for programs, accounts elsewhere."""

import re
import secrets
from datetime import datetime, timedelta

import httpx
import pytest
from playwright.async_api import Locator, expect

from external.conftest import SECRET, provider
from page.conftest import CLIPBOARD, Visit
from page.window import REFUSED, Window
from support.server import Factory

__all__ = ["provider"]  # a fixture

FONTS = r"fonts\.googleapis\.com"  # the provider's own pages want them; nothing leaves this machine

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]


def panel(window: Window, title: str) -> Locator:
    """A part of the settings."""
    return window.page.locator(".setting", has=window.page.get_by_role("heading", name=title, exact=True))


async def test_a_key_is_made_shown_once_and_revoked(visit: Visit) -> None:
    """With the password; it lets a program in until it is revoked, and is not in the page any more when the settings are opened again."""
    window = await (await visit(**CLIPBOARD)).sign_up()
    await window.settings("API keys")
    keys = panel(window, "API keys")
    make = keys.get_by_role("button", name="Make a key")
    await keys.get_by_label("What the key is for").fill("My script")
    await make.click()
    await expect(keys.get_by_text("Enter your password.")).to_be_visible()
    await keys.get_by_label("Your password").fill(window.password)
    await keys.get_by_label("It is good for").select_option("a week")
    await keys.get_by_label("It may only read").check()
    await make.click()
    shown = keys.get_by_label("The new key")
    await expect(shown).to_have_text(re.compile("^qk_"))
    key = await shown.inner_text()
    await keys.get_by_role("button", name="Copy the key").click()
    assert await window.page.evaluate("navigator.clipboard.readText()") == key
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{window.url}/v1/threads", headers=headers, trust_env=False).status_code == 200
    assert httpx.post(f"{window.url}/v1/threads", headers=headers, json={}, trust_env=False).status_code == 403
    await window.page.keyboard.press("Escape")
    await window.settings("API keys")
    week = datetime.now() + timedelta(days=7)
    await expect(keys.get_by_text(f"until {week.month}/{week.day}/{week.year}")).to_be_visible()
    assert key not in await window.page.content()
    await keys.get_by_role("button", name="Revoke My script").click()
    await window.page.get_by_role("dialog").last.get_by_role("button", name="Revoke").click()
    await expect(keys.get_by_text("My script is revoked.")).to_be_visible()
    assert httpx.get(f"{window.url}/v1/threads", headers=headers, trust_env=False).status_code == 401
    window.quiet(REFUSED)


async def test_what_a_program_calls_a_conversation_is_what_the_page_calls_it(visit: Visit) -> None:
    """A name that was given when the conversation began is in no event; the page shows it all the same, live and when it is loaded again."""
    window = await (await visit()).sign_up()
    title = window.page.locator(".thread-title")
    begin(window, "Report of the night")
    await expect(title).to_have_text(["Report of the night"])
    begin(window, "Report of the day")
    await expect(title).to_have_text(["Report of the day", "Report of the night"])
    await window.page.reload()
    await expect(title).to_have_text(["Report of the day", "Report of the night"])
    window.quiet()


def begin(window: Window, title: str) -> None:
    """A conversation with a name and a message, by a program of the same person."""
    credentials = {"email": window.email, "password": window.password}
    with httpx.Client(base_url=window.url, trust_env=False) as program:
        token = program.post("/v1/auth/login", json=credentials).json()["access_token"]
        program.headers["Authorization"] = f"Bearer {token}"
        thread = program.post("/v1/threads", json={"title": title}).json()["id"]
        message = {"text": "words that are no name", "agent": "echo", "client_id": secrets.token_hex(8)}
        program.post(f"/v1/threads/{thread}/messages", json=message).raise_for_status()


async def test_a_person_comes_in_by_a_provider(visit: Visit, server_factory: Factory, provider: str) -> None:
    """A button leads to the provider's own pages and back into the conversation; it survives a reload, and the address tells nothing.
    Whoever refuses there reads so at the door."""
    told = {"ISSUER": provider, "CLIENT_ID": "quintet", "CLIENT_SECRET": SECRET, "TITLE": "The house"}
    server = server_factory(environment={f"QUINTET_OIDC_HOUSE_{name}": text for name, text in told.items()})
    window = await (await visit(at=server)).open()
    page = window.page
    await page.route(re.compile(FONTS), lambda route: route.abort())
    name = f"ada{secrets.token_hex(4)}"
    await window.button("Continue with The house").click()
    await page.get_by_role("link", name=re.compile("cancel|abort", re.IGNORECASE)).click()
    await expect(page.get_by_text("That sign-in did not work out")).to_be_visible()
    await window.button("Continue with The house").click()
    await page.locator("input[name=login]").fill(name)
    await page.locator("input[name=password]").fill("any")
    await page.locator("button[type=submit]").click()
    await page.locator("button[type=submit]").click()
    await expect(window.button("Settings")).to_be_visible()
    assert re.fullmatch(rf"{re.escape(server.url)}/(#/new)?", page.url), page.url
    await page.reload()
    await window.settings("Sign-in")
    elsewhere = panel(window, "Accounts elsewhere")
    await expect(elsewhere.get_by_text(f"{name}@example.com")).to_be_visible()
    await elsewhere.get_by_role("button", name=re.compile("Unlink")).click()
    await page.get_by_role("dialog").last.get_by_role("button", name="Unlink").click()
    await expect(elsewhere.get_by_text("This is the only way into the account.")).to_be_visible()
    window.quiet(REFUSED, f"request to another host: {provider}", f"{provider}/favicon.ico", FONTS)

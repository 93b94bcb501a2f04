"""What a person does with a letter: each link leads to a page that does nothing before it is told to."""

import subprocess
import sys

import pytest
from playwright.async_api import expect

from page.conftest import Visit
from page.window import REFUSED, Window
from quintet.testing.accounts.account import good_passphrase, random_address
from quintet.testing.mail.mailbox import Mailbox
from support.server import Factory, Server

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]

FORBIDDEN = r"the server responded with a status of 403"


def mailbox(server: Server) -> Mailbox:
    """The letters of a server in development, from now on."""
    return Mailbox(server.data / "mail", "localhost", 0)


async def link_to(box: Mailbox, email: str, subject: str) -> str:
    """The link of the newest letter about this."""
    mail = await box.arrived(email, subject)
    return next(link for link in mail.links if "/#/" in link)


async def heading(window: Window, name: str) -> None:
    """The screen of this name is there."""
    await expect(window.page.get_by_role("heading", name=name)).to_be_visible()


async def test_a_forgotten_password(visit: Visit, server: Server) -> None:
    """Asked for by keyboard alone; the link shows a form; a short password is refused at its field; then everybody is out, the new one lets
    in, and the link is worth nothing more: the page offers another letter."""
    box, inside = mailbox(server), await (await visit()).sign_up()
    window = await (await visit()).open()
    page = window.page
    await window.button("Sign in").click()
    await window.button("Forgot your password?").press("Enter")
    await heading(window, "Forgot your password?")
    await expect(page.get_by_label("E-mail address")).to_be_focused()
    await page.keyboard.type("nonsense")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Enter an e-mail address, such as")).to_be_visible()
    await page.get_by_label("E-mail address").fill(inside.email)
    await page.keyboard.press("Enter")
    await heading(window, "Look into your mail")
    link = await link_to(box, inside.email, "Choose a new password")

    reader, new = await visit(), good_passphrase()
    await reader.page.goto(link)
    await heading(reader, "Choose a new password")
    await reader.page.keyboard.type("too short")
    await reader.page.keyboard.press("Enter")
    await expect(reader.page.get_by_text("needs at least 15 characters")).to_be_visible()
    await reader.page.get_by_label("New password").fill(new)
    await reader.page.keyboard.press("Enter")
    await expect(reader.page.locator(".form-reason")).to_contain_text("Your password is set")
    assert "ql_" not in reader.page.url
    await expect(inside.page.locator(".form-reason")).to_contain_text("signed out")
    await reader.fill_form(inside.email, new)
    await reader.page.get_by_role("main").locator("button[type=submit]").click()
    await reader.ready()

    await page.goto(link)
    await page.get_by_label("New password").fill(good_passphrase())
    await page.keyboard.press("Enter")
    await expect(page.locator(".form-fault")).to_contain_text("used already")
    await expect(window.button("Ask for another letter")).to_be_focused()
    await page.keyboard.press("Enter")
    await heading(window, "Forgot your password?")
    for one in (inside, reader, window):
        one.quiet(REFUSED)


async def test_another_address(visit: Visit, server: Server) -> None:
    """Asked for in the settings, with the password; confirmed by the new address's reader; then it is the one on the page."""
    box, window = mailbox(server), await (await visit()).sign_up()
    page, new = window.page, random_address()
    await window.button("Settings").click()
    section = page.locator("section.setting", has=page.get_by_role("heading", name="Address"))
    await section.get_by_label("Address").fill(new)
    await section.get_by_label("Password").fill("not the password at all")
    await page.keyboard.press("Enter")
    await expect(section.get_by_text("This is not your password.")).to_be_visible()
    await section.get_by_label("Password").fill(window.password)
    await page.keyboard.press("Enter")
    await expect(section.get_by_text(f"A letter is on its way to {new}.")).to_be_visible()
    await box.arrived(window.email, "about to change")
    await page.goto(await link_to(box, new, "Confirm your new address"))
    await heading(window, "Confirm your address")
    await expect(window.button("Confirm")).to_be_focused()
    await page.keyboard.press("Enter")
    await window.ready()
    await expect(window.notice).to_contain_text("Your address is confirmed.")
    await window.button("Settings").click()
    await expect(page.get_by_text(f"{new}. It is confirmed.")).to_be_visible()
    window.quiet(REFUSED)


async def test_an_invitation_and_a_confirmed_address(visit: Visit, server_factory: Factory) -> None:
    """Where strangers may not sign up the page says so. The operator's link lets one in, whose address is confirmed by letter; opening that
    link twice, as scanners of mail do, uses nothing up."""
    strict = {"QUINTET_SIGN_UP": "invite", "QUINTET_VERIFY_EMAIL": "on"}
    server = server_factory(environment=strict)
    stranger = await (await visit(at=server)).open()
    await expect(stranger.page.get_by_text("You need an invitation")).to_be_visible()
    await expect(stranger.button("Create an account")).to_be_hidden()

    email, password = random_address(), good_passphrase()
    box = mailbox(server)
    line = [sys.executable, "-m", "quintet", "user", "invite", email, "--dev", "--data", str(server.data)]
    environment = {**server.environment, "QUINTET_PORT": str(server.port)}
    made = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=True)
    link = made.stdout.strip()
    assert link == await link_to(box, email, "An invitation")

    window = await visit(at=server)
    await window.page.goto(link)
    await expect(window.page.locator(".form-reason")).to_contain_text("You are invited")
    await window.fill_form(email, password)
    await window.button("Create account").click()
    await expect(window.page.locator(".form-reason")).to_contain_text("a letter is on its way")
    await window.fill_form(email, password)
    await window.page.get_by_role("main").locator("button[type=submit]").click()
    await expect(window.page.locator(".form-fault")).to_contain_text("Confirm your address first")

    await box.arrived(email, "Confirm your address", nth=2)
    link = next(link for link in box.wait(email, "Confirm your address", nth=2).links if "/#/" in link)
    for _ in range(2):
        scanner = await visit(at=server)
        await scanner.page.goto(link)
        await heading(scanner, "Confirm your address")
    await window.page.goto(link)
    await window.button("Confirm").click()
    await expect(window.page.locator(".form-reason")).to_have_text("Your address is confirmed.")
    await window.fill_form(email, password)
    await window.page.get_by_role("main").locator("button[type=submit]").click()
    await window.ready()
    await window.page.goto(link)
    await window.button("Confirm").click()
    await expect(window.page.locator(".form-fault")).to_contain_text("confirmed it already")
    window.quiet(REFUSED, FORBIDDEN)

"""The administrator's page: by keyboard, on a phone, and only for administrators."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from administration.operator import Operator
from page.conftest import Visit
from page.window import Window
from support.server import Server

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]


async def appointed(window: Window, server: Server, folder: Path) -> None:
    """The person of the window has the role `admin`."""
    await Operator(server, folder).fine("user", "role", window.email, "admin")


async def test_an_administrator_finds_disables_and_signs_out(visit: Visit, server: Server, tmp_path: Path) -> None:
    """Found by a part of the address; sessions opened and ended; disabled and the other's page is signed out; enabled again; all of it is
    in what happened; nobody but an administrator gets the page, and who loses the role loses it."""
    admin, other = await (await visit()).sign_up(), await (await visit()).sign_up()
    await admin.open("/admin")
    await expect(admin.page.get_by_text("This page is for administrators.")).to_be_visible()
    await appointed(admin, server, tmp_path)
    await admin.page.reload()
    page = admin.page
    await expect(page.get_by_role("heading", name="Health")).to_be_visible()
    await expect(page.locator(".figures div", has_text="database")).to_contain_text("ok")
    await page.get_by_label("Address, name or id").fill(other.email.split("@")[0])
    await page.keyboard.press("Enter")
    card = page.locator(".row-card", has_text=other.email)
    await expect(page.get_by_role("region", name="Users").locator(".rows > .row-card")).to_have_count(1)
    await card.get_by_role("button", name="Sessions").click()
    await expect(card.get_by_text(re.compile("Chrome on (Linux|macOS|Windows)"))).to_be_visible()
    await card.get_by_role("button", name=f"Disable: {other.email}").click()
    await page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    await expect(card.get_by_text("disabled", exact=True)).to_be_visible()
    await expect(other.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    await expect(page.get_by_text("Account disabled").first).to_be_visible()
    await card.get_by_role("button", name=f"Enable: {other.email}").focus()
    await page.keyboard.press("Enter")
    await expect(card.get_by_text("disabled", exact=True)).to_have_count(0)
    await Operator(server, tmp_path).fine("user", "role", admin.email, "user")
    await page.get_by_role("button", name="Look again").click()
    await expect(page.get_by_text("You are no administrator any more.")).to_be_visible()
    admin.quiet(r"status of 403")


async def test_it_fits_a_phone_in_the_dark(visit: Visit, server: Server, tmp_path: Path) -> None:
    """Nothing is wider than a small screen; what can be pressed is high enough for a thumb; a run that goes on is seen and stopped."""
    options = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}
    window = await (await visit(**options)).sign_up()
    await appointed(window, server, tmp_path)
    working = await (await visit()).sign_up()
    await working.say('{"steps": 400, "pause": 0.05}', agent="stepper")
    await window.open("/admin")
    page = window.page
    runs = page.get_by_role("region", name="Runs").locator(".row-card", has_text=working.email)
    await expect(runs).to_be_visible()
    assert await window.evaluate("document.documentElement.scrollWidth") <= 360
    low = await window.evaluate(
        "[...document.querySelectorAll('.row-acts button')].filter((b) => b.offsetHeight < 40).length"
    )
    assert low == 0
    await runs.get_by_role("button", name=re.compile("Stop")).click()
    await expect(runs).to_have_count(0, timeout=20_000)
    await working.ended("cancelled")
    window.quiet()

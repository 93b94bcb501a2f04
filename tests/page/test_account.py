"""What a person does with their account in the page: passkeys, a second factor, what happened, taking it along, deleting it."""

import json
import re
from typing import Any

import pytest
from playwright.async_api import CDPSession, expect
from pyotp import TOTP

from page.conftest import Visit
from page.window import REFUSED, Window

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]

AUTHENTICATOR: dict[str, Any] = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


async def authenticator(window: Window) -> tuple[CDPSession, str]:
    """A virtual authenticator in the window's browser, whose holder it recognises and who always agrees."""
    session = await window.page.context.new_cdp_session(window.page)
    await session.send("WebAuthn.enable")
    made = await session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return session, str(made["authenticatorId"])


async def test_a_passkey_is_made_and_signs_in(visit: Visit) -> None:
    """Made in the settings with the password, named, used at the door without one; a holder who is not recognised gets no further; a
    removed one signs nobody in."""
    window = await (await visit()).sign_up()
    page = window.page
    devices, name = await authenticator(window)
    await window.settings("Sign-in")
    panel = page.locator(".setting", has=page.get_by_role("heading", name="Passkeys"))
    await panel.get_by_role("button", name="Add a passkey").click()
    await expect(panel.get_by_text("Enter your password.")).to_be_visible()
    await panel.get_by_label("Your password").fill(window.password)
    await panel.get_by_role("button", name="Add a passkey").click()
    await expect(panel.get_by_text("Added. You can sign in with it from now on.")).to_be_visible()
    await panel.get_by_label(re.compile("Name of")).fill("My laptop")
    await page.keyboard.press("Enter")
    await expect(panel.get_by_text("Renamed.")).to_be_visible()
    await page.keyboard.press("Escape")
    await window.button("Sign out").click()
    await window.button("Sign in with a passkey").click()
    await window.ready()
    await window.button("Sign out").click()
    await devices.send("WebAuthn.setUserVerified", {"authenticatorId": name, "isUserVerified": False})
    await window.button("Sign in with a passkey").click()
    await expect(page.get_by_text("No passkey was used.")).to_be_visible()
    await devices.send("WebAuthn.setUserVerified", {"authenticatorId": name, "isUserVerified": True})
    await window.button("Sign in with a passkey").click()
    await window.ready()
    await window.settings("Sign-in")
    await page.get_by_role("button", name="Remove My laptop").click()
    asked = page.get_by_role("dialog", name="Remove this passkey?")
    await asked.get_by_label("Your password").fill(window.password)
    await asked.get_by_role("button", name="Remove").click()
    await expect(panel.get_by_text("Removed.")).to_be_visible()
    await page.keyboard.press("Escape")
    await window.button("Sign out").click()
    await window.button("Sign in with a passkey").click()
    await expect(page.get_by_text("This passkey was not accepted.")).to_be_visible()
    window.quiet(REFUSED)


async def test_a_second_factor_is_set_up_and_asked_for(visit: Visit) -> None:
    """A picture and a key for the authenticator, recovery codes once; then the password alone leads to a second step, which a wrong code
    does not pass, the right one and a recovery code do; switched off, it is not asked for."""
    window = await (await visit()).sign_up()
    page = window.page
    await window.settings("Sign-in")
    panel = page.locator(".setting", has=page.get_by_role("heading", name="Second factor"))
    await panel.get_by_label("Your password").fill(window.password)
    await panel.get_by_role("button", name="Set up an authenticator").click()
    await expect(panel.get_by_role("img", name="The picture that an authenticator scans")).to_be_visible()
    totp = TOTP((await panel.locator(".secret-key").inner_text()).replace(" ", ""))
    await panel.get_by_label("Code that it shows").fill("000000")
    await page.keyboard.press("Enter")
    await expect(panel.get_by_text("This code is wrong, or was used before.")).to_be_visible()
    await panel.get_by_label("Code that it shows").fill(totp.now())
    await page.keyboard.press("Enter")
    codes = panel.locator(".recovery-codes li")
    await expect(codes).to_have_count(10)
    recovery = await codes.all_inner_texts()
    await panel.get_by_role("button", name="I have kept them").click()
    await expect(panel.get_by_text("On. 10 recovery codes are left.")).to_be_visible()
    await page.keyboard.press("Escape")
    await window.button("Sign out").click()
    await _password(window)
    await expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    await expect(page.get_by_label("Code")).to_be_focused()
    await page.get_by_label("Code").fill("000000")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("This code is wrong, or was used before.")).to_be_visible()
    await page.get_by_label("Code").fill(recovery[0])
    await page.keyboard.press("Enter")
    await window.ready()
    await window.settings("Sign-in")
    await expect(panel.get_by_text("On. 9 recovery codes are left.")).to_be_visible()
    await panel.get_by_label("Your password").fill(window.password)
    await panel.get_by_role("button", name="Switch off").click()
    await expect(panel.get_by_text("Switched off.")).to_be_visible()
    await page.keyboard.press("Escape")
    await window.button("Sign out").click()
    await _password(window)
    await window.ready()
    window.quiet(REFUSED)


async def _password(window: Window) -> None:
    await window.fill_form(window.email, window.password)
    await window.page.get_by_role("button", name="Sign in", exact=True).click()


async def test_an_account_is_looked_at_taken_along_and_deleted(visit: Visit) -> None:
    """What happened is listed; the file holds the person's words; deletion asks for the password, signs out, and nobody gets in again."""
    window = await (await visit()).sign_up()
    page = window.page
    await page.get_by_label("Agent").select_option("echo")
    await window.composer.fill("a word of mine")
    await window.composer.press("Enter")
    await window.ended("completed")
    await window.settings("Devices")
    happened = page.locator(".setting", has=page.get_by_role("heading", name="Recent activity"))
    await expect(happened.get_by_text("Signed in", exact=True)).to_be_visible()
    await expect(happened.get_by_text("Account made")).to_be_visible()
    await page.get_by_role("tab", name="Data").click()
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Save my data").click()
    file = await coming.value
    assert file.suggested_filename == "quintet-export.json"
    told = json.loads((await file.path()).read_text())
    assert told["user"]["email"] == window.email
    assert "a word of mine" in [message["text"] for message in told["messages"]]
    await page.get_by_role("button", name="Delete my account…").click()
    asked = page.get_by_role("dialog", name="Delete your account?")
    await asked.get_by_label("Your password").fill("violet anchor 77 marmalade")
    await asked.get_by_role("button", name="Delete for good").click()
    await expect(asked.get_by_text("This is not your password.")).to_be_visible()
    await asked.get_by_label("Your password").fill(window.password)
    await asked.get_by_role("button", name="Delete for good").click()
    await expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    await _password(window)
    await expect(page.get_by_text("The address or the password is wrong.")).to_be_visible()
    window.quiet(REFUSED)

"""What a person may set, and the keys that do things."""

import json
import re

import pytest
from playwright.async_api import expect

from page.conftest import Visit
from page.window import REFUSED, Window

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]

GROUND = "getComputedStyle(document.body).backgroundColor"


async def test_the_page_looks_and_sends_as_one_likes(visit: Visit) -> None:
    """Dark in a light system, kept over a reload and a sign-out; Ctrl + Enter sends and Enter does not; the name is shown at once."""
    window = await (await visit(color_scheme="light")).sign_up()
    page = window.page
    assert await window.evaluate(GROUND) == "rgb(250, 248, 243)"
    await window.settings()
    await page.get_by_role("radio", name="Dark").check(force=True)
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert await window.evaluate(GROUND) == "rgb(19, 22, 20)"
    await page.get_by_role("radio", name="Ctrl + Enter").check(force=True)
    await page.get_by_label("Name", exact=True).fill("Alice of the Lake")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(window.button("Settings")).to_be_focused()
    await expect(page.locator(".who-name")).to_have_text("Alice of the Lake")
    await page.reload()
    await window.ready()
    assert await window.evaluate(GROUND) == "rgb(19, 22, 20)"
    await page.get_by_label("Agent").select_option("echo")
    await window.composer.fill("one")
    await window.composer.press("Enter")
    assert await window.composer.input_value() == "one\n"
    await window.composer.press("Control+Enter")
    await window.ended("completed")
    await window.button("Sign out").click()
    await expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    assert await window.evaluate(GROUND) == "rgb(19, 22, 20)"
    window.quiet()


async def test_other_devices_are_signed_out_from_here(visit: Visit) -> None:
    """Each session with its device and its time; the others end at a click, here nothing changes."""
    window = await (await visit()).sign_up()
    others = [await (await visit()).sign_in(window) for _ in range(2)]
    await window.settings("Devices")
    devices = window.page.locator(".device")
    await expect(devices).to_have_count(3)
    await expect(devices.filter(has_text="This device")).to_have_count(1)
    await expect(devices.first).to_contain_text(re.compile("Chrome on (Linux|macOS|Windows)"))
    await window.button("Sign out everywhere else").click()
    await expect(window.page.get_by_text("2 other devices are signed out.")).to_be_visible()
    await expect(devices).to_have_count(1)
    for other in others:
        await expect(other.page.locator(".form-reason")).to_contain_text("this session was ended")
        other.quiet()
    await window.page.keyboard.press("Escape")
    await window.say("still here", agent="echo")
    await window.ended("completed")
    window.quiet()


async def test_the_password_is_changed(visit: Visit) -> None:
    """A wrong one and a short one are said at their fields; the new one works, and other devices are signed out."""
    window = await (await visit()).sign_up()
    other = await (await visit()).sign_in(window)
    page = window.page
    await window.settings("Sign-in")
    now, new = page.get_by_label("Password now"), page.get_by_label("New password")
    await now.fill(window.password)
    await new.fill("too short")
    await window.button("Change password").click()
    await expect(page.get_by_text("It needs at least 15 characters; this has 9.")).to_be_visible()
    await expect(new).to_be_focused()
    fresh = "a wholly different long sentence"
    await new.fill(fresh)
    await now.fill("not the one I have now")
    await window.button("Change password").click()
    await expect(page.get_by_text("This is not the password that you have now.")).to_be_visible()
    await now.fill(window.password)
    await window.button("Change password").click()
    await expect(page.get_by_text("Changed. All other devices are signed out.")).to_be_visible()
    await expect(other.page.locator(".form-reason")).to_contain_text("ended")
    other.password = fresh
    await other.fill_form(window.email, fresh)
    await other.page.locator("button[type=submit]").click()
    await other.ready()
    window.quiet(REFUSED)
    other.quiet()


async def test_shortcuts_do_what_their_list_says(visit: Visit) -> None:
    """`?` shows them; each does its thing outside of fields only; switched off, single keys do nothing."""
    window = await (await visit()).sign_up()
    page = window.page
    await window.say("first?", agent="echo")
    await window.ended("completed")
    assert await window.said() == ["first?"]
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert await page.locator("dialog kbd").count() >= 18
    await page.keyboard.press("n")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("o")
    await expect(window.turn().locator("details.story")).to_have_attribute("open", "")
    await page.keyboard.press("e")
    await expect(page.get_by_role("dialog", name="Events of this run")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await expect(page.get_by_role("heading", name="What is broken today?")).to_be_visible()
    await expect(window.composer).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await expect(page.get_by_role("heading", level=1)).to_have_text("first?")
    await page.keyboard.press("Escape")
    await page.keyboard.press("m")
    await expect(window.composer).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("s")
    await page.get_by_role("radio", name="Off").check(force=True)
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await page.keyboard.press("?")
    await expect(page.get_by_role("heading", level=1)).to_have_text("first?")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    window.quiet()


async def stop_by_key(window: Window) -> None:
    """X, outside of the field."""
    await window.page.keyboard.press("Escape")
    await window.page.keyboard.press("x")


async def test_a_run_is_stopped_and_deleted_by_keys(visit: Visit) -> None:
    """X stops what runs; D deletes the conversation, once it was confirmed."""
    window = await (await visit()).sign_up()
    await window.say(json.dumps({"mark": "by-key"}), agent="slow_tool")
    await expect(window.turn()).to_have_attribute("data-state", "running")
    await stop_by_key(window)
    await window.ended("cancelled")
    await window.page.keyboard.press("d")
    await window.page.keyboard.press("Tab")
    await window.page.keyboard.press("Enter")
    await expect(window.page.get_by_role("heading", name="What is broken today?")).to_be_visible()
    await expect(window.page.locator(".thread-row")).to_have_count(0)
    window.quiet()


async def test_the_settings_stand_in_tabs(visit: Visit) -> None:
    """Five, by the keyboard: one stop of Tab, arrows, Home and End choose; one panel is shown. On a phone nothing is wider than the dialog."""
    window = await (await visit(viewport={"width": 390, "height": 844}, color_scheme="dark")).sign_up()
    page = window.page
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("s")
    tabs, panels = page.get_by_role("tab"), page.get_by_role("tabpanel")
    await tabs.first.focus()
    for key, chosen, heading in (
        ("ArrowRight", "Sign-in", "Password"),
        ("End", "Data", "Leaving"),
        ("ArrowRight", "Profile", "You"),
        ("ArrowLeft", "Data", "Leaving"),
        ("Home", "Profile", "You"),
    ):
        await page.keyboard.press(key)
        await expect(page.get_by_role("tab", name=chosen, exact=True, selected=True)).to_be_focused()
        await expect(panels).to_have_count(1)
        await expect(panels.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert await page.locator("[role=tab][tabindex='-1']").count() == 4
    for place in (".tabs", ".dialog-body"):
        assert await window.evaluate(f"(e => e.scrollWidth - e.clientWidth)(document.querySelector('{place}'))") <= 0
    window.quiet()


async def test_a_key_right_after_a_window_has_closed_is_heard(visit: Visit) -> None:
    """A field of the closed window still has the focus until the browser draws again; a key in that moment is a shortcut, and not lost."""
    window = await (await visit()).sign_up()
    await window.say("hello", agent="echo")
    await window.ended("completed")
    await window.page.get_by_role("textbox", name="Message").focus()
    await window.page.keyboard.press("Escape")  # nothing has the focus, so a window has nothing to give it back to
    await window.page.keyboard.press("s")
    await window.page.get_by_role("tab", name="Sign-in").click()
    await window.page.locator("dialog input[type=password]:visible").first.focus()
    kept = await window.page.evaluate(_CLOSE_AND_PRESS)
    assert kept == "INPUT", "the focus had gone: this proves nothing"
    await expect(window.page.get_by_role("dialog", name="Delete this conversation?")).to_be_visible()


_CLOSE_AND_PRESS = """() => {
  document.querySelector("dialog[open]").close();
  const field = document.activeElement;
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "d", bubbles: true, cancelable: true }));
  return field.tagName;
}"""

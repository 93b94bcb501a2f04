"""A walk through every screen of the page: each is named when it is there, to be looked at by whoever walks along."""

import json
from collections.abc import AsyncIterator

from playwright.async_api import FilePayload, expect

from page.window import Window

__all__ = ["screens"]

FILES: list[FilePayload] = [
    {
        "name": "a-name-that-is-longer-than-any-telephone-is-wide-2026-11-22.txt",
        "mimeType": "text/plain",
        "buffer": b"text",
    },
    {"name": "b.txt", "mimeType": "text/plain", "buffer": b""},
]
WIDE = (
    "# Wide\n\n" + "x" * 400 + "\n\n```\n" + "a long line of code " * 12 + "\n```\n\n"
    "| step | what is to be done | who does it | effort | how it is seen |\n|-|-|-|-|-|\n"
    "| 1 | Set the variable before the import | environment-configuration | small | `pytest -q tests/test_a.py::test_b` |\n\n"
    "https://docs.example/" + "path/" * 60
)


async def screens(window: Window, mark: str) -> AsyncIterator[str]:
    """From signing up to deleting. `mark` names what the stopped tools leave behind."""
    await window.open()
    yield "sign-up"
    await window.button("Create account").click()
    yield "sign-up, refused"
    async for name in _of_letters(window):
        yield name
    await window.sign_up()
    yield "first screen"
    async for name in _runs(window, mark):
        yield name
    async for name in _dialogs(window):
        yield name
    async for name in _side(window):
        yield name
    await window.page.goto(f"{window.url}/#/t/thr_that_is_not_there")
    await expect(window.page.get_by_text("There is no such conversation here.")).to_be_visible()
    yield "no such conversation"


async def _of_letters(window: Window) -> AsyncIterator[str]:
    page = window.page
    for place, title in (("forgot", "Forgot"), ("reset/ql_x", "Choose a new"), ("verify/ql_x", "Confirm your")):
        await page.goto(f"{window.url}/#/{place}")
        await expect(page.get_by_role("heading", name=title)).to_be_visible()
        if place.startswith("reset"):
            await page.get_by_label("New password").fill("violet anchor 77 marmalade")
        yield place.partition("/")[0]
        if place != "forgot":
            await page.keyboard.press("Enter")
            await expect(page.locator(".form-fault")).to_contain_text("link")
            yield f"{place.partition('/')[0]}, refused"


async def _runs(window: Window, mark: str) -> AsyncIterator[str]:
    await window.button("Try a broken test run").click()
    await window.ended("completed")
    await window.unfold()
    await window.turn().locator(".story-steps .agent-box > summary").first.click()
    await window.turn().locator(".story-steps .call-box > summary").first.click()
    yield "finished"
    await window.say(WIDE, agent="echo")
    await expect(window.page.locator(".turn")).to_have_count(2)  # the first one has completed, too
    await window.ended("completed")
    await window.unfold()
    await window.turn().locator(".call summary").click()
    yield "wide"
    await window.page.goto(f"{window.url}/#/new")
    await window.say("please raise", agent="raiser")
    await window.ended("failed")
    await window.say(json.dumps({"mark": f"screens {mark}"}), agent="slow_parent")
    await expect(window.turn().locator(".call[data-state=running]")).to_have_count(2)
    yield "failed and running"
    await window.page.locator("form.composer").get_by_role("button", name="Stop").click()
    await window.ended("cancelled")
    await window.page.locator("input[type=file]").set_input_files(FILES)
    await expect(window.page.locator(".chip")).to_have_count(2)
    yield "stopped, files"
    await window.page.keyboard.press("Escape")


async def _dialogs(window: Window) -> AsyncIterator[str]:
    page = window.page
    for key, name in (("?", "shortcuts"), ("e", "events"), ("s", "settings"), ("d", "deleting")):
        await page.keyboard.press(key)
        await expect(page.get_by_role("dialog"), f"{name}, by {key}").to_be_visible()
        if name == "settings":
            await expect(page.locator(".device")).to_have_count(1)
            await page.get_by_role("tab", name="Sign-in").click()
            await window.button("Change password").click()
        if name == "events":
            await page.locator(".raw-line summary").first.click()
        yield name
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def _side(window: Window) -> AsyncIterator[str]:
    await window.page.keyboard.press("F2")
    yield "renaming"
    await window.page.keyboard.press("Escape")
    await window.page.keyboard.press("Escape")
    await window.page.keyboard.press("/")
    await window.page.keyboard.type("KeyError")  # in the first one
    await expect(window.page.get_by_text("1 conversation found.")).to_be_visible()
    yield "search"
    await window.page.keyboard.press("Escape")
    await window.page.keyboard.press("Escape")

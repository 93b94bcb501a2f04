"""Conversations as things of their own: named, found, marked, deleted, and the same on every device."""

import json
import re

import pytest
from playwright.async_api import Locator, expect

from page.conftest import Visit
from page.window import Window

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]

HIDE = "(away) => { Object.defineProperty(document, 'hidden', { value: away, configurable: true }); document.dispatchEvent(new Event('visibilitychange')) }"  # noqa: E501


def links(window: Window) -> Locator:
    """The conversations at the side."""
    return window.page.get_by_role("navigation", name="Conversations").get_by_role("link")


async def talk(window: Window, words: str, agent: str = "echo") -> None:
    """A conversation of its own, to its end."""
    await window.page.get_by_role("link", name="New conversation").click()
    await window.say(words, agent=agent)
    await window.ended("completed")


async def test_a_conversation_is_renamed_where_its_name_stands(visit: Visit) -> None:
    """In the bar by F2 and in the list by its button: Enter keeps, Escape does not, an empty name changes nothing; all devices show it."""
    phone = await (await visit()).sign_up()
    laptop = await (await visit()).sign_in(phone)
    await talk(phone, "words of the first line")
    page, heading = phone.page, phone.page.get_by_role("heading", level=1)
    box = page.get_by_label("Name of the conversation")
    await page.keyboard.press("F2")
    await box.fill("left as it was")
    await box.press("Escape")
    await expect(heading).to_have_text("words of the first line")
    await page.keyboard.press("F2")
    await box.fill("  ")
    await box.press("Enter")
    await expect(heading).to_have_text("words of the first line")
    await phone.button("Rename this conversation").click()
    await box.fill("Budget <b>2027</b>")
    await box.press("Enter")
    await expect(heading).to_have_text("Budget <b>2027</b>")
    await expect(laptop.page.locator(".thread-title")).to_have_text(["Budget <b>2027</b>"])
    await links(laptop).first.focus()
    await laptop.page.keyboard.press("Tab")
    await laptop.page.keyboard.press("Enter")
    await laptop.page.get_by_label("Name of the conversation").fill("Renamed in the list")
    await laptop.page.keyboard.press("Enter")
    await expect(links(laptop).first).to_be_focused()
    await expect(heading).to_have_text("Renamed in the list")
    await phone.page.reload()
    await expect(heading).to_have_text("Renamed in the list")
    phone.quiet()
    laptop.quiet()


async def test_a_name_that_is_refused_is_taken_back(visit: Visit) -> None:
    """The server refuses or is away: the old name stands again, and the page says why."""
    window = await (await visit()).sign_up()
    await talk(window, "the old name")
    problem = {
        "status": 503,
        "content_type": "application/problem+json",
        "body": '{"code":"busy","detail":"Too busy."}',
    }
    await window.page.route("**/v1/threads/*", lambda route: route.fulfill(**problem))
    await window.page.keyboard.press("F2")
    await window.page.get_by_label("Name of the conversation").fill("a new name")
    await window.page.keyboard.press("Enter")
    await expect(window.notice).to_contain_text("The name could not be changed. Too busy.")
    await expect(window.page.get_by_role("heading", level=1)).to_have_text("the old name")
    window.quiet("status of 503")


async def test_a_conversation_is_deleted_everywhere(visit: Visit) -> None:
    """Asked first, and Cancel has the focus; then it is gone from every device that has it open, and from a log read from its start."""
    phone = await (await visit()).sign_up()
    await talk(phone, "canary-to-be-deleted")
    await talk(phone, "stays here")
    laptop = await (await visit()).sign_in(phone)
    await links(laptop).nth(1).click()
    await laptop.ended("completed")
    await phone.button("Delete canary-to-be-deleted").focus()
    await phone.page.keyboard.press("Enter")
    await expect(phone.button("Cancel")).to_be_focused()
    await phone.page.keyboard.press("Enter")
    await expect(links(phone)).to_have_count(2)
    await phone.button("Delete canary-to-be-deleted").press("Enter")
    await phone.button("Delete").click()
    await expect(links(phone)).to_have_text(["stays here"])
    await expect(phone.page.get_by_role("heading", level=1)).to_have_text("stays here")
    await expect(links(laptop)).to_have_text(["stays here"])
    await expect(laptop.page.get_by_role("heading", name="What is broken today?")).to_be_visible()
    await expect(laptop.notice).to_have_text(re.compile("This conversation is deleted."))
    await phone.page.reload()
    await expect(links(phone)).to_have_text(["stays here"])
    assert "canary" not in await phone.page.content()
    assert "canary" not in await laptop.page.content()
    phone.quiet()
    laptop.quiet()


async def test_conversations_are_found_by_name_and_by_words(visit: Visit) -> None:
    """Typed letter by letter: titles and what was said, with the place shown; arrows and Enter lead there, Escape leads out."""
    window = await (await visit()).sign_up()
    await talk(window, "apples and pears")
    await talk(window, "first line\n\nsomewhere below is a QUINCE, well hidden")
    page = window.page
    await page.keyboard.press("Control+K")
    await page.keyboard.type("quince")
    await expect(links(window)).to_have_count(1)
    await expect(links(window).locator("mark")).to_have_text("QUINCE")
    await expect(page.get_by_text("1 conversation found.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(links(window)).to_have_count(2)
    await page.keyboard.type("PEARS")
    await expect(links(window)).to_have_text(["apples and pears"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("apples and pears")
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type(" and no such fruit")
    await expect(page.get_by_text("Nothing found.")).to_be_visible()
    window.quiet()


async def test_what_ended_out_of_sight_is_marked(visit: Visit) -> None:
    """An answer in another conversation is marked new, a failure as failed, over a reload too; looking or answering, on any device, ends it."""
    window = await (await visit()).sign_up()
    other = await (await visit()).sign_in(window)
    await window.say(json.dumps({"steps": 2, "pause": 0.2}), agent="stepper")
    await window.page.get_by_role("link", name="New conversation").click()
    await window.evaluate(HIDE, True)
    await window.say("please raise", agent="raiser")
    await window.ended("failed")
    await window.page.get_by_role("link", name="New conversation").click()
    await expect(window.page.locator(".turn")).to_have_count(0)  # else a look would still fall on what failed
    await window.evaluate(HIDE, False)
    marks = window.page.locator(".thread-mark")
    await expect(marks).to_have_text(["new answer", "failed"])  # the last one at work first
    await expect(other.page.locator(".thread-mark")).to_have_text(["new answer", "failed"])
    await window.page.reload()
    await expect(marks).to_have_text(["new answer", "failed"])
    await links(window).nth(1).click()
    await expect(marks.nth(1)).to_have_text("")
    await expect(marks.nth(0)).to_have_text("new answer")
    await window.say("and again", agent="echo")
    await window.ended("completed")
    await expect(
        other.page.locator(".thread-row").filter(has_text="please raise").locator(".thread-mark")
    ).to_have_text("new answer")
    await expect(other.page.locator(".thread-mark.is-failed")).to_have_count(0)
    window.quiet()
    other.quiet()


async def test_the_title_says_what_ended_unseen(visit: Visit) -> None:
    """While nobody looks at the window, its title counts the runs that ended; a look ends the count."""
    window = await (await visit()).sign_up()
    await window.evaluate(HIDE, True)
    await window.say("one", agent="echo")
    await expect(window.page).to_have_title("● 1 one · Quintet")
    await window.say("two", agent="echo")
    await expect(window.page).to_have_title("● 2 one · Quintet")
    await window.evaluate(HIDE, False)
    await expect(window.page).to_have_title("one · Quintet")
    window.quiet()

"""Coming in and going out, as a person does it."""

import pytest
from playwright.async_api import Route, expect

from page.conftest import Visit
from page.window import REFUSED
from quintet.testing.accounts.account import good_passphrase, random_address

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]


async def test_sign_up_leads_to_the_first_screen(visit: Visit) -> None:
    """A new person is asked for two things and stands in a new conversation, the cursor where one writes."""
    window = await (await visit()).sign_up()
    await expect(window.page.get_by_role("heading", name="What is broken today?")).to_be_visible()
    await expect(window.composer).to_be_focused()
    assert await window.page.title() == "New conversation · Quintet"
    window.quiet()


async def test_rules_are_said_before_they_are_broken(visit: Visit) -> None:
    """The length of a password is said at once, counted while one writes, and kept by the form before anything is sent."""
    window = await (await visit()).open()
    await expect(window.page.get_by_text("At least 15 characters.")).to_be_visible()
    await window.fill_form("someone@example.com", "twelve chars")
    await expect(window.page.get_by_text("At least 15 characters: 3 to go.")).to_be_visible()
    await window.button("Create account").click()
    await expect(window.page.get_by_role("alert").filter(has_text="this has 12")).to_be_visible()
    await expect(window.page.get_by_label("Password", exact=True)).to_be_focused()
    window.quiet()


async def test_a_refusal_stands_at_the_field_it_is_about(visit: Visit) -> None:
    """A taken address at the address, a common password at the password, a wrong sign-in at the form; and then one gets in."""
    known = await (await visit()).sign_up()
    window = await (await visit()).open()
    await window.fill_form(known.email, known.password)
    await window.button("Create account").click()
    await expect(window.page.locator("#email-fault")).to_contain_text("exists already")
    await window.fill_form("someone.else@example.com", "passwordpassword")
    await window.button("Create account").click()
    await expect(window.page.locator("#password-fault")).to_contain_text("too easy to guess")
    await window.button("Sign in").click()
    await window.fill_form(known.email, "not the right password")
    await window.button("Sign in").click()
    await expect(
        window.page.get_by_role("alert").filter(has_text="The address or the password is wrong.")
    ).to_be_visible()
    await window.page.get_by_label("Password", exact=True).fill(known.password)
    await window.button("Sign in").click()
    await window.ready()
    window.quiet(REFUSED)


async def test_a_reload_keeps_one_signed_in(visit: Visit) -> None:
    """The access token was only in memory; the cookie brings a new one, and no script can read either from a store."""
    window = await (await visit()).sign_up()
    await window.page.reload()
    await window.ready()
    stores = await window.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "eyJ" not in stores
    cookies = await window.page.context.cookies()
    assert [(c["httpOnly"], c["secure"], c["sameSite"]) for c in cookies] == [(True, True, "Strict")]
    assert cookies[0]["value"] not in stores
    window.quiet()


async def test_signing_out_signs_every_window_out(visit: Visit) -> None:
    """One window signs out; the other shows the form too, without being asked; a reload leads nowhere but there."""
    first = await (await visit()).sign_up()
    second = await (await visit(beside=first)).open()
    await second.ready()
    await first.button("Sign out").click()
    await expect(first.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    await expect(second.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    await expect(first.page.locator(".form-reason")).to_be_hidden()
    await expect(second.page.locator(".form-reason")).to_contain_text("out")
    await first.page.reload()
    await expect(first.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    first.quiet()
    second.quiet()


async def test_windows_that_refresh_at_once_stay_signed_in(visit: Visit) -> None:
    """Three windows of one browser reload in the same moment, three times: one refresh after another, nobody is signed out."""
    first = await (await visit()).sign_up()
    windows = [first, await (await visit(beside=first)).open(), await (await visit(beside=first)).open()]
    for _ in range(3):
        for window in windows:
            await window.evaluate("setTimeout(() => location.reload(), 10)")
        for window in windows:
            await window.page.wait_for_load_state()
            await window.ready()
    for window in windows:
        window.quiet()


async def test_a_reload_amid_a_refresh_is_harmless(visit: Visit) -> None:
    """The server has answered a refresh, the answer never arrives, the window is loaded again: still signed in."""
    window = await (await visit()).sign_up()
    lost: list[int] = []

    async def lose(route: Route) -> None:
        """The server answers; the window, and with it the cookie, hears nothing."""
        headers = {**route.request.headers, "cookie": cookie}
        address, body = window.url + "/v1/auth/refresh", route.request.post_data
        if not lost:
            lost.append((await outside.request.post(address, headers=headers, data=body)).status)
        await route.abort()

    outside = (await visit()).page.context
    [kept] = await window.page.context.cookies()
    cookie = f"{kept['name']}={kept['value']}"
    await window.page.route("**/v1/auth/refresh", lose)
    await window.page.reload(wait_until="commit")
    await expect(window.page.get_by_text("Connection lost – trying again…")).to_be_visible()
    await window.page.unroute("**/v1/auth/refresh")
    await window.page.reload()
    await window.ready()
    assert lost == [200]
    window.quiet("ERR_FAILED")


async def test_a_session_ended_elsewhere_says_so(visit: Visit) -> None:
    """The session is ended from outside: the window says it within a second, and nothing of the person stays on it."""
    window = await (await visit()).sign_up()
    [kept] = await window.page.context.cookies()
    outside = (await visit()).page.context
    headers = {"cookie": f"{kept['name']}={kept['value']}", "X-Quintet-Client": "web", "Origin": window.url}
    answer = await outside.request.post(window.url + "/v1/auth/logout", headers=headers)
    assert answer.status == 204
    await expect(window.page.locator(".form-reason")).to_have_text("You were signed out: this session was ended.")
    assert window.email not in await window.page.locator("body").inner_text()
    window.quiet()


async def test_a_page_that_was_left_shows_nothing_when_it_comes_back(visit: Visit) -> None:
    """What the browser keeps of it for the way back is empty; coming back begins anew, as whoever is signed in then."""
    window = await visit()
    await window.sign_up()
    await window.say("a word that is mine alone", agent="echo")
    await window.ended("completed")
    page = window.page
    leaving = "(name) => window.dispatchEvent(new PageTransitionEvent(name, { persisted: true }))"
    await page.evaluate(leaving, "pagehide")
    assert "mine alone" not in await page.locator("body").inner_text()
    await page.context.clear_cookies()
    async with page.expect_event("load"):
        await page.evaluate(leaving, "pageshow")
    await expect(window.button("Sign in")).to_be_visible()
    assert "mine alone" not in await page.locator("body").inner_text()
    await window.open("/admin")
    await expect(page.get_by_role("heading", name="Administration")).to_be_visible()
    await page.evaluate(leaving, "pagehide")
    await expect(page.get_by_role("heading")).to_have_count(0)


async def test_an_address_that_somebody_made_up_leads_to_a_page(visit: Visit) -> None:
    """Half an escape in it, and the page is there all the same."""
    window = await visit()
    await window.sign_up()
    await window.page.goto("about:blank")
    await window.open("/#/t/%E0%A4%A")
    await window.ready()


async def test_whoever_comes_next_sees_nothing_of_what_was_written(visit: Visit) -> None:
    """A draft survives a reload and its own user's way back; in a window whose session ended unseen the next user begins with nothing."""
    window = await visit()
    await window.sign_up()
    await window.composer.fill("a draft that is mine alone")
    await window.page.goto("about:blank")
    await window.page.go_back()
    await window.ready()
    await expect(window.composer).to_have_value("a draft that is mine alone")
    await window.page.context.clear_cookies()  # it ended while nobody looked
    await window.page.reload()
    await expect(window.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    await window.button("Create an account").click()
    await window.fill_form(random_address(), good_passphrase())
    await window.button("Create account").click()
    await window.ready()
    await expect(window.composer).to_have_value("")
    kept = await window.evaluate("() => JSON.stringify({ ...sessionStorage, ...localStorage })")
    assert "mine alone" not in kept

"""Makes the picture of the README: `cd tests && ../.venv/bin/python -m page.picture [FILE]`. A real server, a real run, nothing painted."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import ViewportSize, async_playwright

from page.conftest import ARGUMENTS, chromium
from page.window import Window
from support.server import TESTS, Server

__all__ = ["take"]

PICTURE = TESTS.parent / "docs" / "page.png"
SIZE: ViewportSize = {"width": 1280, "height": 800}
EARLIER = (
    "Why is the build slower since Monday?",
    "Which tests touch the clock?",
    "Nightly run of the payment service",
)
MOST_BYTES = 250_000


async def take(url: str, target: Path) -> None:
    """Sign up, ask, open the story at one agent, and photograph what is seen."""
    async with async_playwright() as playwright:
        path = chromium(playwright.chromium.executable_path)
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS, headless=True)
        page = await browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
        window = await Window(page, url).sign_up()
        for words in EARLIER:
            await window.say(words, agent="assistant")
            await window.ended("completed")
            await page.get_by_role("link", name="New conversation").click()
        await name_oneself(window, "Alice Berg")
        await window.button("Try a broken test run").click()
        turn = await window.ended("completed")
        await window.unfold()
        await turn.get_by_role("group", name="Whose part to show").get_by_role("button", name="environment").click()
        await page.mouse.move(5, 400)
        await page.locator(".scroll").evaluate(
            "(box) => { const head = box.querySelector('.turn:last-child .reply-head');"
            " box.scrollTop += head.getBoundingClientRect().top - box.getBoundingClientRect().top - 14 }"
        )
        await window.composer.focus()
        await page.screenshot(path=target, animations="disabled", caret="hide")
        await browser.close()
        window.quiet()


async def name_oneself(window: Window, name: str) -> None:
    """A name instead of a made-up address."""
    await window.button("Settings").click()
    await window.page.get_by_label("Name", exact=True).fill(name)
    await window.page.keyboard.press("Enter")
    await window.page.get_by_text("Saved.").wait_for()
    await window.page.keyboard.press("Escape")


def main() -> None:
    """Start a server without the tests' agents, take the picture, end the server."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), agents=())
        try:
            server.start()
            asyncio.run(take(server.url, target))
        finally:
            server.end()
    size = target.stat().st_size
    assert size <= MOST_BYTES, f"{target} has {size:,} bytes; at most {MOST_BYTES:,} are wanted"


if __name__ == "__main__":
    main()

"""Chromium, and windows of it. A missing Chromium is a failure that says how to get one: a skipped page test would prove nothing."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from page.window import Window
from support.server import Server

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
MISSING = (
    "The tests of the page need a Chromium and found none. Install one: `apt-get install chromium` (Debian, Ubuntu), "
    "`dnf install chromium` (Fedora), `brew install --cask chromium` (macOS), or `.venv/bin/playwright install chromium`."
)

CALM: dict[str, Any] = {"reduced_motion": "reduce"}  # a spinner that turns costs a core of a machine without graphics

expect.set_options(timeout=15_000)

CLIPBOARD: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}

Visit = Callable[..., Awaitable[Window]]


def chromium(bundled: str) -> str:
    """Where the system's Chromium is, else the one that Playwright has downloaded."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and Path(bundled).exists():
        return bundled
    return found or pytest.fail(MISSING, pytrace=False)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium without windows, one for the tests of a file."""
    async with async_playwright() as playwright:
        path = chromium(playwright.chromium.executable_path)
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS, headless=True)
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, server: Server) -> AsyncIterator[Visit]:
    """Opens windows. Each is another person's browser, unless `beside` names the window whose browser it shares."""
    contexts: list[BrowserContext] = []

    async def window(*, at: Server | None = None, beside: Window | None = None, **options: Any) -> Window:
        context = beside.page.context if beside else await browser.new_context(**CALM | options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        return Window(await context.new_page(), (at or server).url)

    yield window
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _kept(browser: Browser) -> AsyncIterator[list[Window]]:
    """The window that the tests of a file share, once one of them has asked for it."""
    kept: list[Window] = []
    yield kept
    for window in kept:
        await window.page.context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def window(browser: Browser, server: Server, _kept: list[Window]) -> AsyncIterator[Window]:
    """A signed-in person in a new conversation. A file's tests share the window, which a new one costs a second to make; one whose
    test did not come to its `quiet` is not used again. Who needs a person without a past, or another window, asks for `visit`."""
    if not _kept:
        context = await browser.new_context(**CALM | CLIPBOARD)
        context.set_default_timeout(15_000)
        _kept.append(await Window(await context.new_page(), server.url).sign_up())
    window = _kept[0]
    await window.anew()
    yield window
    if not window.is_settled:
        await _kept.pop().page.context.close()

"""No barrier that axe-core knows, none of its "best practices" missed: every screen, light and dark, wide and narrow.

The policy of the page lets no foreign script in: for these tests alone the browser is told to pass over it.
"""

import json
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.async_api import FilePayload, expect

from page.conftest import Visit
from page.window import Window

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
FILES: list[FilePayload] = [
    {"name": "a.txt", "mimeType": "text/plain", "buffer": b"text"},
    {"name": "b.txt", "mimeType": "text/plain", "buffer": b""},
]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


async def barriers(window: Window, where: str) -> list[str]:
    """What axe-core finds on the screen as it is, in light and in dark, with the place and the reason."""
    if not await window.evaluate("'axe' in window"):
        await window.evaluate(AXE)
    found: list[str] = []
    for scheme in SCHEMES:
        await window.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        told: dict[str, Any] = await window.evaluate("(rules) => axe.run(document, rules)", RULES)
        found += shown(told, f"{where}, {scheme}")
    return found


def shown(told: dict[str, Any], where: str) -> list[str]:
    """Each fault in words."""
    return [
        f"{where}: {fault['impact']} {fault['id']}: {fault['help']}\n    {node['html'][:160]}\n    {node['failureSummary']}"
        for fault in told["violations"]
        for node in fault["nodes"][:3]
    ]


@pytest.mark.parametrize("size", SIZES)
async def test_no_screen_has_a_barrier(visit: Visit, size: str) -> None:
    """Sign-in, the first screen, a run at work and done, its story, a failure, files, each window over the page."""
    window = await (await visit(viewport=SIZES[size], bypass_csp=True)).open()
    page = window.page
    found = await barriers(window, "sign-up")
    await window.button("Create account").click()
    found += await barriers(window, "sign-up, refused")
    await window.sign_up()
    found += await barriers(window, "first screen")
    await window.button("Try a broken test run").click()
    await window.ended("completed")
    await window.unfold()
    await window.turn().locator(".story-steps .agent-box > summary").first.click()
    await window.turn().locator(".story-steps .call-box > summary").first.click()
    found += await barriers(window, "finished")
    await window.say("please raise", agent="raiser")
    await window.ended("failed")
    await window.say(json.dumps({"mark": f"axe {size}"}), agent="slow_parent")
    await expect(window.turn().locator(".call[data-state=running]")).to_have_count(2)
    found += await barriers(window, "failed and running")
    await page.locator("form.composer").get_by_role("button", name="Stop").click()
    await window.ended("cancelled")
    await page.locator("input[type=file]").set_input_files(FILES)
    await expect(page.locator(".chip")).to_have_count(2)
    found += await barriers(window, "stopped, files")
    await page.keyboard.press("Escape")
    for key, name in (("?", "shortcuts"), ("e", "events"), ("s", "settings"), ("d", "deleting")):
        await page.keyboard.press(key)
        await expect(page.get_by_role("dialog")).to_be_visible()
        if name == "settings":
            await expect(page.locator(".device")).to_have_count(1)
        if name == "events":
            await page.locator(".raw-line summary").first.click()
        found += await barriers(window, name)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("/")
    await page.keyboard.type("KeyError")
    found += await barriers(window, "search")
    assert found == [], "\n".join(found)
    window.quiet()

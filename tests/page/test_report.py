"""The HTML report of the analyst, opened as a file: alone, on a phone, on paper, light and dark, without barriers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize, expect

from quintet.triage import analyse
from quintet.triage.reports import FORMATS
from triage.texts import Session, raised
from triage_command.hostile import hostile_text

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]

DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}


def report() -> str:
    """Several causes over several modules, long names among them, and a hostile run in front."""
    session = Session(passed=40)
    for number in range(14):
        name = "a_rather_long_name_of_a_test_that_says_all_it_does"
        session.breaks(
            f"tests/billing/test_part_{number % 6}.py::test_{name}_{number}", "E   fixture 'ledger' not found"
        )
    for number in range(6):
        session.fails(
            f"tests/test_env_{number % 2}.py::test_{number}",
            *raised("<frozen os>", 685, "raise KeyError(key) from None", "KeyError: 'PAYMENT_HOST'", "__getitem__"),
        )
        session.fails(f"tests/test_sums.py::test_{number}", f"E   assert {number} == {number + 7}")
    loop = "E   RuntimeError: Task <Task> got Future <Future> attached to a different loop"
    return FORMATS["html"](analyse(hostile_text() + session.fails("tests/test_loop.py::test_z", loop).text, "run.txt"))


@pytest_asyncio.fixture(params=["light desk", "dark phone"], loop_scope="session")
async def page(request: pytest.FixtureRequest, browser: Browser, tmp_path: Path) -> AsyncIterator[Page]:
    """The report in a window; whatever it asks for or complains of fails the test."""
    (tmp_path / "report.html").write_text(report(), encoding="utf-8")
    wide = "desk" in request.param
    context = await browser.new_context(
        viewport=DESK if wide else PHONE,
        color_scheme="light" if wide else "dark",
    )
    page = await context.new_page()
    wrong: list[str] = []
    page.on("request", lambda asked: wrong.append(asked.url))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    await page.goto((tmp_path / "report.html").as_uri())
    yield page
    assert wrong[1:] == []
    await context.close()


async def test_it_fits_and_can_be_read(page: Page) -> None:
    """Nothing is wider than the screen, one picture of the right size is seen, and axe finds no barrier."""
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(page.locator("svg.picture:visible")).to_have_count(1)
    sizes = await page.evaluate(
        "[...document.querySelectorAll('svg.picture text')].map(t => t.getBoundingClientRect().height).filter(Boolean)"
    )
    assert min(sizes) >= 10
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


async def test_it_is_used_by_its_links_and_folds(page: Page) -> None:
    """From the picture to a cause, from a step to its line of evidence, and the rest of the tests unfolded."""
    await page.locator("svg.picture:visible a").first.click()
    await expect(page.locator("article:target h3")).to_be_in_viewport()
    await page.locator("article ol a").first.click()
    await expect(page.locator(".evidence li:target")).to_be_in_viewport()
    more = page.locator("details").first
    await more.locator("summary").click()
    await expect(more.locator("li").first).to_be_visible()


async def test_on_paper_nothing_is_folded(page: Page) -> None:
    """Printed, it is light, whole and has the wide picture."""
    await page.emulate_media(media="print")
    await expect(page.locator("svg.w760")).to_be_visible()
    await expect(page.locator("details li").first).to_be_visible()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(await page.pdf()) > 10_000

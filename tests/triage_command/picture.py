"""Makes the picture of the guide: `cd tests && ../.venv/bin/python -m triage_command.picture [FILE]`. A real analysis of an invented run."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import ViewportSize, async_playwright

from page.conftest import ARGUMENTS, chromium
from quintet.triage import analyse
from quintet.triage.reports import FORMATS
from triage.texts import Session, raised

__all__ = ["run", "take"]

PICTURE = Path(__file__).parents[2] / "docs" / "triage.png"
SIZE: ViewportSize = {"width": 1000, "height": 1120}


def run() -> str:
    """An orchard whose tests lack a fixture, a variable and a service, and have two failures of their own."""
    session = Session(passed=118)
    for number in range(17):
        session.breaks(
            f"tests/billing/test_{('invoices', 'refunds', 'taxes')[number % 3]}.py::test_{number}",
            "E   fixture 'ledger' not found",
        )
    for number in range(9):
        session.fails(
            f"tests/test_{('payments', 'payouts')[number % 2]}.py::test_{number}",
            *raised("<frozen os>", 685, "raise KeyError(key) from None", "KeyError: 'PAYMENT_HOST'", "__getitem__"),
        )
    for number in range(4):
        session.fails(
            f"tests/test_live.py::test_{number}",
            *raised(
                "/venv/lib/python3.12/site-packages/redis/connection.py",
                385,
                "raise ConnectionError(self._error_message(e))",
                "redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection refused.",
                "connect",
            ),
        )
    for number, (is_now, wanted) in enumerate(((31, 30), (12, 7))):
        session.fails(f"tests/billing/test_taxes.py::test_rate_{number}", f"E   assert {is_now} == {wanted}")
    return session.text


async def take(target: Path) -> None:
    """The upper part of the HTML report, on a desk."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "report.html"
        place.write_text(FORMATS["html"](analyse(run(), "pytest-output.txt")), encoding="utf-8")
        async with async_playwright() as playwright:
            path = chromium(playwright.chromium.executable_path)
            browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS, headless=True)
            page = await browser.new_page(viewport=SIZE, color_scheme="light")
            await page.goto(place.as_uri())
            await page.screenshot(path=target)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE))

"""No barrier that axe-core knows, none of its "best practices" missed, nothing wider than the screen: light and dark, wide and narrow.

The policy of the page lets no foreign script in: for these tests alone the browser is told to pass over it.
"""

from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest

from page.conftest import Visit
from page.screens import screens
from page.window import REFUSED, Window

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
LOOK = "(how) => axe.run(document.querySelector('dialog[open]') ?? document, how)"  # what lies under a dialog was looked at before
SPILLS = """() => {
  const wide = document.documentElement.clientWidth, found = [];
  const held = (node) => {
    for (let at = node; at && at !== document.body; at = at.parentElement) {
      if (at.matches('pre, textarea, .table-scroll, .team') || getComputedStyle(at).textOverflow === 'ellipsis') return true;
    }
    return false;
  };
  const look = (box, node, what) => {
    if (box.width && box.height && (box.right > wide + 0.5 || box.left < -0.5) && !held(node)) found.push(what);
  };
  for (const node of document.body.querySelectorAll('*')) {
    if (!node.checkVisibility({ visibilityProperty: true }) || node.closest('.visually-hidden')) continue;
    look(node.getBoundingClientRect(), node.parentElement, `${node.tagName}.${node.className}`);
    for (const text of node.childNodes) {
      if (text.nodeType !== 3 || !text.data.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      for (const box of range.getClientRects()) look(box, node, `"${text.data.slice(0, 40)}"`);
    }
  }
  return found.slice(0, 5);
}"""
PLANT = """([style, inside]) => {
  const made = document.createElement('p');
  made.id = 'planted';
  made.append(inside);
  for (const rule of style.split(';')) made.style.setProperty(...rule.split(':'));
  document.querySelector('main').append(made);
}"""
RULES = {  # by scheme: of all rules only contrast can differ in the dark
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "dark": {"type": "rule", "values": ["color-contrast"]},
}


async def barriers(window: Window, where: str) -> list[str]:
    """What axe-core finds on the screen as it is, in light and in dark, with the place and the reason."""
    if not await window.evaluate("'axe' in window"):
        await window.evaluate(AXE)
    found: list[str] = []
    for scheme in SCHEMES:
        await window.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        how = {"runOnly": RULES[scheme], "resultTypes": ["violations"]}
        told: dict[str, Any] = await window.evaluate(LOOK, how)
        found += shown(told, f"{where}, {scheme}")
    return found


def shown(told: dict[str, Any], where: str) -> list[str]:
    """Each fault in words."""
    return [
        f"{where}: {fault['impact']} {fault['id']}: {fault['help']}\n    {node['html'][:160]}\n    {node['failureSummary']}"
        for fault in told["violations"]
        for node in fault["nodes"][:3]
    ]


async def spills(window: Window, where: str) -> list[str]:
    """What reaches over the left or the right edge of the screen, boxes and letters, but for what a scroller of its own holds."""
    found: list[str] = await window.evaluate(SPILLS)
    return [f"{where}: {what} reaches over the edge" for what in found]


@pytest.mark.parametrize("size", SIZES)
async def test_no_screen_has_a_barrier(visit: Visit, size: str) -> None:
    """Sign-in, the first screen, runs at work and done, stories, a failure, files, search, each window over the page: nothing that axe-core
    knows as a barrier, and nothing wider than the screen."""
    window = await visit(viewport=SIZES[size], bypass_csp=True)
    found: list[str] = []
    async for screen in screens(window, size):
        found += await spills(window, screen)
        found += await barriers(window, screen)
    assert found == [], "\n".join(found)
    window.quiet(REFUSED)


async def test_what_is_wider_than_the_screen_is_noticed(visit: Visit) -> None:
    """The look at the edges finds a box, a line of letters and what is cut off by its box; it leaves "…" alone."""
    window = await (await visit(viewport=SIZES["narrow"])).open()
    assert await spills(window, "as it is") == []
    for style, inside, seen in (
        ("width:500px", "box", True),
        ("white-space:nowrap", "letters " * 20, True),
        ("max-width:300px;white-space:nowrap;overflow:hidden", "cut off " * 20, True),
        ("margin-left:-900px", "left", True),
        ("max-width:300px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis", "shortened " * 20, False),
        ("white-space:nowrap;overflow-x:auto", "scrolled " * 20, True),  # not where it is meant, as in a table
        ("position:absolute;width:500px;visibility:hidden", "hidden", False),
    ):
        await window.evaluate(PLANT, [style, inside])
        assert bool(await spills(window, "planted")) == seen, inside
        await window.evaluate("document.getElementById('planted').remove()")

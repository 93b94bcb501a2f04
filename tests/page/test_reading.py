"""What agents and people wrote is shown, never obeyed; and it can be read with a keyboard, a screen reader and a phone."""

from typing import Any

import pytest
from playwright.async_api import expect

from page.conftest import Visit
from page.window import Window

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]

REPORT = """# Three *causes*

Seven entries failed; **three** share `SECRET_KEY`, snake_case_stays and <b>so does this</b>.

1. first
2. second
   - nested

| cause | blocks |
|:--|--:|
| no key | 3 |

> quoted

```python
print("<not html>")
```
See [the rules](https://docs.example/rules) and [this](javascript:alert(1)) and https://bare.example/x.
"""

HOSTILE = (
    "<img src=x onerror=\"window.hurt='img'\"><script>window.hurt='script'</script>"
    "<svg onload=\"window.hurt='svg'\"></svg> [a](javascript:window.hurt='link') "
    "![b](https://tracker.example/pixel.png) <iframe src=https://frame.example></iframe> &lt;b&gt; \u202e \u0000"
)

LISTEN = """window.heard = []; new MutationObserver(() => heard.push(speaker.textContent))
  .observe(speaker, { childList: true, characterData: true, subtree: true })"""


async def drawn(window: Window, text: str) -> Any:
    """The HTML that a Markdown text becomes on this page."""
    script = "async (text) => { const m = await import('/app/markup.js'); const box = document.createElement('div'); m.drawMarkdown(box, text); return box.outerHTML; }"  # noqa: E501
    return await window.evaluate(script, text)


async def test_markdown_is_shown_as_it_is_meant(window: Window) -> None:
    """Headings, lists, tables, quotes, code, bold and links of an answer are what they say; HTML in it stays text."""
    await window.say(REPORT, agent="echo")
    turn = await window.ended("completed")
    answer = turn.locator(".answer")
    await expect(answer.get_by_role("heading", name="Three causes")).to_be_visible()
    await expect(answer.locator("ol > li")).to_have_count(2)
    await expect(answer.locator("ol > li ul > li")).to_have_text("nested")
    await expect(answer.get_by_role("cell", name="3")).to_have_class("align-right")
    await expect(answer.locator("blockquote")).to_have_text("quoted")
    await expect(answer.locator("pre code")).to_have_text('print("<not html>")')
    await expect(answer.locator("strong")).to_have_text("three")
    await expect(answer.locator("p").first).to_contain_text("snake_case_stays and <b>so does this</b>")
    links = answer.get_by_role("link")
    assert [await link.get_attribute("href") for link in await links.all()] == [
        "https://docs.example/rules",
        "https://bare.example/x",
    ]
    assert {await link.get_attribute("rel") for link in await links.all()} == {"noopener noreferrer nofollow"}
    window.quiet()


async def test_what_is_written_is_never_obeyed(window: Window) -> None:
    """Markup, scripts, pictures and frames in a message, a thought, a tool and an answer: shown as letters, nothing runs or loads."""
    await window.say(HOSTILE, agent="echo")
    turn = await window.ended("completed")
    await window.unfold()
    await turn.locator(".call summary").click()
    assert await window.evaluate("window.hurt") is None
    assert await turn.locator("img, script, iframe").count() == 0
    for link in await turn.get_by_role("link").all():
        assert str(await link.get_attribute("href")).startswith("https://")
    await expect(turn.locator(".answer")).to_contain_text("<img src=x onerror=")
    await expect(turn.locator(".thought-text")).to_contain_text("<script>window.hurt='script'</script>")
    window.quiet()


async def test_a_growing_text_is_drawn_like_a_whole_one(window: Window) -> None:
    """Cut anywhere and grown letter by letter, the drawing ends as the drawing of the whole text, and nothing hostile takes long."""
    script = """async (text) => {
      const { drawMarkdown } = await import('/app/markup.js');
      const grown = document.createElement('div'), whole = document.createElement('div');
      for (let n = 1; n <= text.length; n += 1) drawMarkdown(grown, text.slice(0, n));
      drawMarkdown(whole, text);
      return grown.innerHTML === whole.innerHTML;
    }"""
    assert await window.evaluate(script, REPORT)
    hostile = [
        "*",
        "[",
        "**a",
        "_a",
        "` `` ",
        "> ",
        "- ",
        "<",
        "|",
        "#",
        "~",
        "\\",
        "http://",
        "- a\n",
        "|-|\n",
        "[a](",
        "1. ",
    ]
    timed = """async (texts) => {
      const { parse } = await import('/app/markdown.js');
      return texts.map((text) => { const from = performance.now(); parse(text); return performance.now() - from; });
    }"""
    times = await window.evaluate(timed, [(piece * 32768)[:32768] for piece in hostile])
    assert max(times) < 1000, dict(zip(hostile, times, strict=True))
    times = await window.evaluate(timed, ["http://%-" * 60_000])  # none of them is an address; an answer may be as long
    assert max(times) < 3000, times
    window.quiet()


async def test_everything_can_be_done_with_the_keyboard(visit: Visit) -> None:
    """From the first key to the answer and back out: Tab reaches everything in a sensible order, and where one is can be seen."""
    window = await visit()
    await window.sign_up()
    page = window.page
    await page.get_by_role("button", name="Try a broken test run").focus()
    await page.keyboard.press("Enter")
    await expect(window.composer).to_be_focused()
    await window.ended("completed")
    await window.page.get_by_label("Agent").select_option("echo")
    await window.composer.focus()
    await page.keyboard.type("two")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("lines")
    assert await window.composer.input_value() == "two\nlines"
    await page.keyboard.press("Enter")
    await expect(page.locator(".turn[data-state=completed]")).to_have_count(2)
    await page.evaluate("document.activeElement.blur()")
    seen: list[str] = []
    for _ in range(80):
        await page.keyboard.press("Tab")
        told = await page.evaluate(
            """() => { const at = document.activeElement, style = getComputedStyle(at);
              return [at.getAttribute('aria-label') || at.labels?.[0]?.innerText || at.innerText, at === document.body || style.outlineStyle !== 'none' || at.matches('textarea')]; }"""  # noqa: E501
        )
        seen.append(told[0].strip().split("\n")[0])
        assert told[1], f"the focus cannot be seen at {told[0]!r}"
    for name in (
        "Skip to",
        "New conversation",
        "Search",
        "Rename",
        "Sign out",
        "Copy answer",
        "Attach",
        "Message",
        "Agent",
    ):
        assert any(name in place for place in seen), f"{name} was not reached: {seen}"
    window.quiet()


async def test_a_screen_reader_is_told_what_matters(window: Window) -> None:
    """The live region says that an agent works and what it answered; landmarks and headings say where one is."""
    await window.evaluate(LISTEN)
    await window.say("tell me", agent="echo")
    await window.ended("completed")
    await expect(window.page.locator("#speaker")).to_have_text("echo answered. tell me")
    heard = [words for words in await window.evaluate("heard") if words]
    assert heard[-1] == "echo answered. tell me"
    assert len(heard) <= 4, f"too much is said: {heard}"
    tree = await window.page.locator("body").aria_snapshot()
    for landmark in (
        "main",
        "banner",
        'navigation "Conversations"',
        'heading "tell me" [level=1]',
        'heading "echo" [level=2]',
    ):
        assert landmark in tree or landmark == "banner", f"{landmark} is missing in\n{tree}"
    unnamed = await window.evaluate(
        "[...document.querySelectorAll('button, a, input, textarea, select')]"
        ".filter((e) => !(e.textContent || e.getAttribute('aria-label') || e.labels?.length)).map((e) => e.outerHTML)"
    )
    assert unnamed == []
    window.quiet()


async def test_a_phone_holds_all_of_it(visit: Visit) -> None:
    """390 px wide: nothing is wider than the screen, targets are big enough for a thumb, the conversations are in a drawer."""
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    window = await visit(**phone, reduced_motion="no-preference")
    await window.sign_up()
    wide = "document.documentElement.scrollWidth > innerWidth || document.querySelector('.scroll').scrollWidth > innerWidth"
    await window.say(REPORT + "x" * 500 + "\n" * 20 + REPORT, agent="echo")
    turn = await window.ended("completed")
    await window.unfold()
    await turn.locator(".call summary").click()
    assert not await window.evaluate(wide)
    await window.say("FAILED tests/test_a.py::test_b - KeyError: 'X'\n1 failed in 1s", agent="triage")
    await window.ended("completed")
    await window.unfold()
    assert not await window.evaluate(wide)
    await window.button("Conversations").click()
    await expect(window.button("Close")).to_be_focused()
    await window.page.keyboard.press("Escape")
    await expect(window.button("Conversations")).to_be_focused()
    await window.button("Conversations").click()
    await window.page.get_by_role("link", name="New conversation").click()
    await expect(window.page.get_by_role("heading", name="What is broken today?")).to_be_visible()
    small = await window.evaluate(
        "[...document.querySelectorAll('.bar button, .composer button, .welcome button')].filter((e) => e.checkVisibility())"
        ".map((e) => e.getBoundingClientRect()).filter((r) => r.height < 40 || r.width < 40).length"
    )
    assert small == 0
    window.quiet()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(visit: Visit, scheme: str) -> None:
    """Ink, soft ink, accent, warnings and faults have at least 4.5 : 1 against the grounds they stand on (WCAG 2.2, 1.4.3)."""
    window = await (await visit(color_scheme=scheme)).open()
    script = """(pairs) => {
      const paint = document.createElement('canvas').getContext('2d');
      const light = (name) => {
        document.body.style.color = `var(${name})`;
        paint.fillStyle = getComputedStyle(document.body).color;
        paint.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      return pairs.map(([a, b]) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return [a, b, (x + 0.05) / (y + 0.05)]; });
    }"""  # noqa: E501
    grounds = ["--paper", "--raised", "--sunk"]
    pairs = [[ink, ground] for ink in ("--ink", "--soft", "--accent", "--bad") for ground in grounds]
    pairs += [["--warm", "--warm-tint"], ["--bad", "--bad-tint"], ["--accent-strong", "--tint"], ["--soft", "--tint"]]
    pairs += [["--on-accent", "--accent"], ["--soft", "--bad-tint"]]
    assert [pair for pair in await window.evaluate(script, pairs) if pair[2] < 4.5] == []


async def test_drawing_is_the_same_for_the_same_text(window: Window) -> None:
    """Attributes of what is drawn from a text are only those the page itself gives."""
    html = await drawn(window, HOSTILE + "\n\n" + REPORT)
    for attribute in ('onerror="', 'onload="', "style=", "srcdoc"):
        assert f" {attribute}" not in html.replace("&lt;", "<").split("<img")[0], attribute
    window.quiet()

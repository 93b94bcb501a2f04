"""Files with a message: by button, paste and drop; refused clearly; shown and given back."""

import json
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Route, expect

from page.conftest import Visit
from page.window import Window
from quintet.web.pages import FOLDER

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]

DROP = """([name, type, text]) => {
  const data = new DataTransfer(), place = document.querySelector('main');
  data.items.add(new File([text], name, { type }));
  place.dispatchEvent(new DragEvent('dragenter', { dataTransfer: data, bubbles: true, cancelable: true }));
  const over = getComputedStyle(document.querySelector('.drop-veil')).display;
  place.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  return [over, getComputedStyle(document.querySelector('.drop-veil')).display];
}"""
COPY_PICTURE = """async () => {
  const picture = new OffscreenCanvas(8, 8);
  picture.getContext('2d').fillRect(0, 0, 8, 8);
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': await picture.convertToBlob() })]);
}"""
PASTE_FILE = """([name, type, content, words]) => {
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([content], name, { type }));
  if (words) clipboardData.setData('text/plain', words);
  return document.querySelector('textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
}"""
WATCH_BAR = """() => {
  window.seen = [];
  const look = () => {
    const bar = document.querySelector('.chip progress');
    if (bar && !bar.hidden) seen.push([bar.value, document.querySelector('.chip-word').textContent]);
  };
  new MutationObserver(look).observe(document.querySelector('.chips'), { subtree: true, childList: true, characterData: true });
}"""
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}  # bytes a second
FAILING = '<testsuite tests="1" failures="1"><testcase classname="tests.test_a" name="test_one"><failure message="assert 1 == 2">E       assert 1 == 2</failure></testcase></testsuite>'  # noqa: E501
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0f01f0005000"
    "1ff89993d1d0000000049454e44ae426082"
)


def a_file(name: str, kind: str, content: bytes) -> FilePayload:
    """A file as a person picks it."""
    return {"name": name, "mimeType": kind, "buffer": content}


async def pick(window: Window, *files: FilePayload) -> None:
    """Choose files by the button."""
    async with window.page.expect_file_chooser() as chosen:
        await window.button("Attach files").click()
    await (await chosen.value).set_files(list(files))


async def test_a_file_goes_with_a_message_and_comes_back(visit: Visit, tmp_path: Path) -> None:
    """Picked, uploaded, sent without a word, read by the agent, shown under the message on any device, saved byte for byte."""
    window = await (await visit()).sign_up()
    await window.page.get_by_label("Agent").select_option("triage")
    await pick(window, a_file("report.xml", "text/xml", FAILING.encode()), a_file("notes.log", "", b"a line\n"))
    chips = window.page.locator(".chip")
    await expect(chips).to_have_count(2)
    await expect(chips.locator("progress:visible")).to_have_count(0)
    await window.page.reload()
    await window.ready()
    await expect(chips).to_have_count(2)
    await window.button("Remove notes.log").click()
    await window.button("Send").click()
    turn = await window.ended("completed")
    assert "1 failed" in await window.answer()
    await expect(chips).to_have_count(0)
    other = await (await visit()).sign_in(window)
    await other.page.goto(window.page.url)
    for device in (window, other):
        async with device.page.expect_download() as saved:
            await device.turn().get_by_role("button", name="Save report.xml").click()
        assert Path(await (await saved.value).path()).read_text() == FAILING
    assert turn is not None
    window.quiet()
    other.quiet()


async def test_files_are_pasted_and_dropped(window: Window) -> None:
    """A drop anywhere on the conversation shows where it goes; a long paste is a file, and text again by one click."""
    await window.page.get_by_label("Agent").select_option("triage")
    assert await window.evaluate(DROP, ["dropped.txt", "text/plain", "some text"]) == ["block", "none"]
    await expect(window.page.locator(".chip")).to_contain_text("dropped.txt")
    report = "E   KeyError: 'SECRET_KEY'\n" * 400
    await window.paste(report)
    await expect(window.page.locator(".chip")).to_have_count(2)
    assert await window.composer.input_value() == ""
    await window.button("Keep as text").click()
    await expect(window.page.locator(".chip")).to_have_count(1)
    assert await window.composer.input_value() == report
    await window.composer.fill("")
    await window.paste("a short text")
    assert await window.composer.input_value() == "a short text"
    window.quiet()


async def test_a_picture_and_a_file_are_pasted(window: Window) -> None:
    """A picture from the clipboard becomes a file; so does a copied file; words that lie in the clipboard beside a picture stay words."""
    chips = window.page.locator(".chip")
    await window.evaluate(COPY_PICTURE)
    await window.composer.focus()
    await window.page.keyboard.press("ControlOrMeta+V")
    await expect(chips).to_have_count(1)
    await expect(chips.locator("canvas")).to_be_visible()
    await expect(chips.locator(".chip-name")).to_have_text("image.png")
    assert await window.evaluate(PASTE_FILE, ["report.xml", "text/xml", "<testsuite/>", ""]) is False
    await expect(chips.nth(1)).to_contain_text("report.xml")
    assert await window.evaluate(PASTE_FILE, ["cells.png", "image/png", "x", "a cell of a table"]) is True
    await expect(chips).to_have_count(2)
    window.quiet()


async def test_a_slow_upload_shows_how_far_it_is(window: Window) -> None:
    """The bar and its words go from little to all, nothing can be sent before; taken off midway, it is given up and never arrives."""
    await window.page.get_by_label("Agent").select_option("triage")
    await window.composer.fill("with a file")
    network = await window.page.context.new_cdp_session(window.page)
    await network.send("Network.emulateNetworkConditions", SLOW)
    arrived: list[str] = []
    window.page.on("response", lambda answer: arrived.append(answer.url) if "/v1/attachments" in answer.url else None)
    await window.evaluate(WATCH_BAR)
    await pick(window, a_file("slow.txt", "text/plain", b"x" * 240_000))
    await expect(window.page.get_by_role("progressbar", name="Uploading slow.txt")).to_be_visible()
    await expect(window.button("Send")).to_be_disabled()
    await expect(window.page.locator(".chip-word")).to_have_text("234.4 KiB")
    seen = await window.evaluate("seen")
    assert len({part for part, _ in seen if 0 < part < 1}) >= 3, f"the bar did not move: {seen}"
    assert seen == sorted(seen), f"the bar went back: {seen}"
    assert all(word == f"{part * 100:.0f} % of 234.4 KiB" for part, word in seen if 0 < part < 1), seen
    await expect(window.page.get_by_role("progressbar")).to_have_count(0)
    await expect(window.button("Send")).to_be_enabled()
    assert len(arrived) == 1
    await pick(window, a_file("never.txt", "text/plain", b"x" * 4_000_000))
    await expect(window.page.get_by_role("progressbar", name="Uploading never.txt")).to_be_visible()
    await window.button("Remove never.txt").click()
    await expect(window.page.locator(".chip")).to_have_count(1)
    await network.send("Network.emulateNetworkConditions", {**SLOW, "uploadThroughput": -1})
    await window.button("Send").click()
    turn = await window.ended("completed")
    await expect(turn.locator(".file")).to_have_count(1)
    assert len(arrived) == 1
    window.quiet()


async def test_a_file_that_does_not_fit_says_why(window: Window) -> None:
    """Too big, empty, not of the agent's kinds, refused by the server: said at the file, and nothing is sent before it is settled."""
    await window.page.get_by_label("Agent").select_option("triage")
    await pick(
        window,
        a_file("huge.txt", "text/plain", b"x" * 5_000_001),
        a_file("empty.txt", "text/plain", b""),
        a_file("shot.png", "image/png", PIXEL),
    )
    chips = window.page.locator(".chip")
    await expect(chips.nth(0)).to_contain_text("Too big: at most 5 MB.")
    await expect(chips.nth(1)).to_contain_text("This file is empty.")
    await expect(chips.nth(2)).to_contain_text("triage takes text, XML and JSON files only.")
    await expect(chips.nth(2).locator("canvas")).to_be_visible()
    await window.composer.fill("look at this")
    await expect(window.button("Send")).to_be_disabled()
    for name in ("huge.txt", "empty.txt", "shot.png"):
        await window.button(f"Remove {name}").click()
    await expect(window.button("Send")).to_be_enabled()

    async def refuse(route: Route) -> None:
        problem = {"code": "rate_limited", "detail": "Too many of your uploads are under way."}
        headers = {"content-type": "application/problem+json", "retry-after": "1"}
        await route.fulfill(status=429, headers=headers, body=json.dumps(problem))

    await window.page.route("**/v1/attachments", refuse, times=1)
    await pick(window, a_file("later.txt", "text/plain", b"text"))
    await expect(chips).to_contain_text("Too many of your uploads are under way. Try again in 1 s.")
    await window.button("Try again").click()
    await expect(chips).to_contain_text("4 bytes")
    await window.button("Send").click()
    await window.ended("completed")
    window.quiet("status of 429")


async def test_pages_of_the_policy_need_no_exception_for_pictures(visit: Visit) -> None:
    """A picture is seen small, before and after sending, and still no address but our own may be an image."""
    window = await (await visit()).sign_up()
    policy = "fetch('/').then((answer) => answer.headers.get('content-security-policy'))"
    assert "img-src 'self';" in await window.evaluate(policy)
    accepting = json.dumps({"items": [{"name": "echo", "description": "", "attachments": ["image/*"]}]})
    await window.page.route(
        "**/v1/agents", lambda route: route.fulfill(body=accepting, content_type="application/json")
    )
    await window.page.reload()
    await expect(window.page.locator("#agent option")).to_have_text(["echo"])
    await pick(window, a_file("mark.png", "image/png", PIXEL))
    await expect(window.page.locator(".chip canvas")).to_be_visible()
    await window.composer.fill("a picture")
    await window.composer.press("Enter")
    turn = await window.ended("completed")
    await expect(turn.locator(".file canvas")).to_be_visible()
    assert not (FOLDER / "vendor").exists()
    window.quiet()

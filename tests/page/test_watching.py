"""Writing, watching agents work, stopping them."""

import json
import re

import pytest
from playwright.async_api import expect

from page.conftest import Visit
from page.window import Window
from support.server import Server

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]


def orders(**told: object) -> str:
    """What a scripted agent is told to do."""
    return json.dumps(told)


async def test_the_five_events_are_seen_as_they_happen(visit: Visit) -> None:
    """While it works: its state, the thought of the moment with its progress, the tool that runs. Afterwards: all of it, and the answer."""
    window = await (await visit(reduced_motion="no-preference")).sign_up()
    await window.say(orders(pause=0.7), agent="researcher")
    turn = window.turn()
    await expect(turn.get_by_role("heading", name="researcher")).to_be_visible()
    await expect(turn.locator(".run-word")).to_have_text("Working")
    await expect(turn.locator(".call[data-state=running] .call-name").first).to_have_text("lookup")
    await expect(turn.locator(".thought.is-now progress")).to_have_count(0)
    await expect(turn.locator(".thought progress").first).to_have_attribute("value", "0.1")
    await window.ended("completed")
    await expect(turn.locator("details.story")).not_to_have_attribute("open", "")
    await expect(turn.locator(".now")).to_contain_text("6 steps · ")
    await window.unfold()
    assert await window.thoughts() == ["Reading the question", "Comparing what was found", "Writing it down"]
    assert sorted(await window.tools()) == ["lookup", "lookup", "weigh"]
    assert await turn.locator(".call[data-state=ok]").count() == 3
    assert all(
        re.fullmatch(r"(< )?\d+ ms|\d\.\d s", time) for time in await turn.locator(".call .time").all_inner_texts()
    )
    assert await window.answer() == "4 sources. That is all."
    window.quiet()


async def test_the_sample_run_is_explained_by_the_team(window: Window) -> None:
    """One click: the shipped team explains the sample run, four specialists under triage, and the report is an answer."""
    await window.button("Try a broken test run").click()
    turn = await window.ended("completed")
    await expect(window.page.get_by_label("Agent")).to_have_value("triage")
    await expect(turn.locator(".now")).to_contain_text("5 agents")
    await window.unfold()
    specialists = turn.locator(".story-steps > .steps > .agent[data-state=completed]")
    await expect(specialists).to_have_count(4)
    for place in range(4):
        assert await specialists.nth(place).locator(".thought-text").count() >= 1
        assert await specialists.nth(place).locator(".call[data-state=ok]").count() >= 1
    answer = await window.answer()
    assert "SECRET_KEY" in answer
    assert "Nothing listens" in answer
    assert "9 tests: 2 passed, 4 failed, 3 errors" in answer
    await expect(window.page.get_by_role("heading", level=1)).to_have_text("Test run: 4 failed, 2 passed, 3 errors")
    window.quiet()


async def test_a_long_answer_is_read_from_its_first_line(window: Window) -> None:
    """The window follows the work, but does not run after an answer longer than itself; one click leads to its end."""
    await window.say("# The first line\n" + "\n\nand more" * 200 + "\n\nthe last line", agent="echo")
    turn = await window.ended("completed")
    await expect(turn.locator(".answer").get_by_text("The first line")).to_be_in_viewport()
    await expect(turn.locator(".answer").get_by_text("the last line")).not_to_be_in_viewport()
    await window.button("Latest").click()
    await expect(turn.locator(".answer").get_by_text("the last line")).to_be_in_viewport()
    await window.say("short", agent="echo")
    await expect(window.turn(1).locator(".answer").get_by_text("short")).to_be_in_viewport()
    window.quiet()


async def test_agents_stand_under_the_agent_that_called_them(window: Window) -> None:
    """A team of four is told as it is nested: each child with its own thoughts, tools, words and time, folded when it is done."""
    await window.say(orders(topic="cellos"), agent="coordinator")
    turn = await window.ended("completed")
    await expect(turn.locator(".now")).to_contain_text("4 agents · ")
    await window.unfold()
    children = turn.locator(".story-steps > .steps > .agent")
    assert await children.locator(".agent-name").all_inner_texts() == ["scout", "analyst", "scribe"]
    scout = children.first
    await expect(scout).to_have_attribute("data-state", "completed")
    await scout.locator("summary").first.click()
    await expect(scout.locator(".agent-body .thought-text").first).to_have_text("Looking around")
    await expect(scout.locator(".agent-body .call-name")).to_have_text("lookup")
    await expect(scout.locator(".said")).to_have_text("Scouted cellos")
    window.quiet()


async def test_a_tool_shows_what_it_was_given_and_what_it_gave(window: Window) -> None:
    """Arguments and result stand in a fold of their own that a click or a key opens."""
    await window.say("a word to repeat", agent="echo")
    turn = await window.ended("completed")
    await window.unfold()
    await turn.locator(".call summary").press("Enter")
    body = turn.locator(".call-body")
    await expect(body.get_by_role("heading", name="Arguments")).to_be_visible()
    await expect(body.locator("pre").first).to_contain_text('"text": "a word to repeat"')
    await expect(body.locator("pre").last).to_have_text("a word to repeat")
    window.quiet()


async def test_text_arrives_in_pieces(window: Window) -> None:
    """The answer grows while it is said, letters beyond ASCII whole, and ends as the very text that was said."""
    await window.say(orders(pieces=60, pause=0.03), agent="streamer")
    answer = window.turn().locator(".answer")
    await expect(answer).to_contain_text("pièce 3 🎻")
    assert "pièce 59" not in await answer.inner_text()
    await window.ended("completed")
    assert await window.answer() == " ".join(f"pièce {n} 🎻" for n in range(60))
    window.quiet()


async def test_stop_stops(window: Window, server: Server) -> None:
    """One click on Stop while a tool runs: the tool is stopped, no other starts, and the page says that it was asked for."""
    await window.say(orders(mark="page-stop"), agent="slow_tool")
    turn = window.turn()
    await expect(turn.locator(".call[data-state=running]")).to_have_count(1)
    await turn.get_by_role("button", name="Stop").click()
    await window.ended("cancelled")
    await expect(turn.get_by_text("Stopped, as you asked.")).to_be_visible()
    await expect(turn.locator(".call[data-state=cancelled]")).to_have_count(1)
    await expect(turn.get_by_role("button", name="Stop")).to_be_hidden()
    assert await window.tools() == ["wait"]
    assert not [line for line in server.done() if "after page-stop" in line]
    window.quiet()


async def test_stop_reaches_nested_agents(window: Window) -> None:
    """Two levels of agents and two tools at once: all are stopped, none is left spinning."""
    await window.say(orders(mark="nested-stop"), agent="slow_parent")
    turn = window.turn()
    await expect(turn.locator(".call[data-state=running]")).to_have_count(2)
    await window.page.locator("form.composer").get_by_role("button", name="Stop").click()
    await window.ended("cancelled")
    assert await turn.locator("[data-state=running]").count() == 0
    assert await turn.locator(".call[data-state=cancelled]").count() == 2
    window.quiet()


async def test_a_failure_says_why_and_where_to_look(window: Window) -> None:
    """A sentence for the person, the code and the run's trace for whoever looks into it, nothing of the exception; and life goes on."""
    await window.say("please raise", agent="raiser")
    turn = await window.ended("failed")
    outcome = turn.locator(".outcome")
    await expect(outcome).to_contain_text("The agent failed because of an error of its own.")
    await expect(outcome).to_contain_text("agent_error")
    trace = re.search(r"[0-9a-f]{32}", await outcome.inner_text())
    assert trace
    assert any(trace[0] in frame for frame in window.frames)
    assert "Traceback" not in await window.page.locator("body").inner_text()
    await window.say("and now this", agent="echo")
    await window.ended("completed")
    assert await window.said() == ["please raise", "and now this"]
    window.quiet()


async def test_one_conversation_after_another(visit: Visit) -> None:
    """New conversations stand at the side, newest first; going back shows the old one whole; its agent is chosen again."""
    window = await (await visit()).sign_up()
    for words in ("the first conversation", "the second conversation"):
        await window.page.get_by_role("link", name="New conversation").click()
        await window.say(words, agent="echo")
        await window.ended("completed")
    links = window.page.get_by_role("navigation", name="Conversations").get_by_role("link")
    await expect(links).to_have_text([re.compile("^the second"), re.compile("^the first")])
    await window.page.get_by_label("Agent").select_option("streamer")
    await links.nth(1).click()
    await expect(window.page.get_by_role("heading", level=1)).to_have_text("the first conversation")
    assert await window.said() == ["the first conversation"]
    assert await window.answer() == "the first conversation"
    await expect(window.page.get_by_label("Agent")).to_have_value("echo")
    await window.page.go_back()
    await expect(window.page.get_by_role("heading", level=1)).to_have_text("the second conversation")
    window.quiet()


async def test_messages_written_at_once_keep_their_order(visit: Visit) -> None:
    """Three messages in a row in a new conversation become one conversation with three turns, in that order."""
    window = await (await visit()).sign_up()
    for words in ("one", "two", "three"):
        await window.say(words, agent="echo")
    await expect(window.page.locator(".turn[data-state=completed]")).to_have_count(3)
    assert await window.said() == ["one", "two", "three"]
    await expect(window.page.get_by_role("navigation", name="Conversations").get_by_role("link")).to_have_count(1)
    window.quiet()


async def test_a_long_report_is_measured_before_it_is_sent(window: Window) -> None:
    """Over 32 KiB nothing is sent; the page says by how much, and keeps the end, which says most; exactly 32 KiB passes."""
    lines = "".join(f"line {number:05d} of a long report\n" for number in range(1400))
    await window.page.get_by_label("Agent").select_option("echo")  # which takes no files
    await window.paste(lines)
    await expect(window.page.locator("#message-note")).to_contain_text("32.0 KiB is the most that can be sent")
    await expect(window.button("Send")).to_be_disabled()
    await window.composer.press("Enter")
    assert await window.page.locator(".turn").count() == 0
    await window.button("Keep only the end").click()
    kept = await window.composer.input_value()
    assert len(kept.encode()) <= 32 * 1024
    assert lines.endswith(kept)
    assert kept.startswith("line ")
    await window.say("é" * (16 * 1024), agent="echo")
    await window.ended("completed")
    window.quiet()

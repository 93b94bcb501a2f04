"""An analysis in the conversation: its claims lead to their evidence, and questions about it are answered."""

import pytest
from playwright.async_api import expect

from page.conftest import Visit

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]


async def test_a_claim_leads_to_its_evidence(visit: Visit) -> None:
    """A press on the line that a step rests on brings that line into view and to the keyboard; the address stays."""
    window = await (await visit(viewport={"width": 390, "height": 700})).sign_up()
    await window.button("Try a broken test run").click()
    turn = await window.ended("completed")
    jump = turn.locator(".answer .jump").first
    line = await jump.inner_text()
    address = window.page.url
    await jump.click()
    mark = turn.locator(".answer [data-mark]:focus")
    await expect(mark).to_be_in_viewport()
    await expect(mark.locator("xpath=..")).to_contain_text(f"{line}:")
    assert window.page.url == address
    window.quiet()


async def test_a_question_about_a_cause_is_answered(visit: Visit) -> None:
    """Written under the report, answered from its facts."""
    window = await (await visit()).sign_up()
    await window.button("Try a broken test run").click()
    await window.ended("completed")
    await window.say("which tests does cause 1 block?", agent="triage")
    turn = await window.ended("completed")
    await expect(turn.locator(".answer")).to_contain_text("It blocks")
    window.quiet()

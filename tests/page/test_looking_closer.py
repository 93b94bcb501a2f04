"""A finished run looked at closely: its story by agent, its raw events, another try; and what the page says when it has to wait."""

import json
import re

import pytest
from playwright.async_api import Route, WebSocketRoute, expect

from page.conftest import Visit
from page.window import Window

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]


async def test_one_agent_of_a_team_is_looked_at_alone(window: Window) -> None:
    """A finished story is one line; opened, each agent is named with its time, and a click leaves only that one's steps."""
    await window.say(json.dumps({"topic": "cellos"}), agent="coordinator")
    turn = await window.ended("completed")
    await expect(turn.locator("details.story .now")).to_have_text(re.compile(r"^4 agents · \d+ steps · [\d.]+ m?s$"))
    await expect(turn.locator("details.story")).not_to_have_attribute("open", "")
    await window.unfold()
    team = turn.get_by_role("group", name="Whose part to show")
    assert await team.locator(".voice-name").all_inner_texts() == ["coordinator", "scout", "analyst", "scribe"]
    for time in await team.locator(".time").all_inner_texts():
        assert re.fullmatch(r"(< )?\d+ ms|[\d.]+ s", time)
    await team.get_by_role("button", name="scout").click()
    assert "Looking around" in await window.thoughts()
    await expect(turn.locator(".story-steps .agent")).to_have_count(0)
    await team.get_by_role("button", name="coordinator").click()
    assert [text for text in await window.thoughts() if text.startswith("Asked")] == [
        "Asked scout",
        "Asked analyst",
        "Asked scribe",
    ]
    await team.get_by_role("button", name="All").click()
    await expect(turn.locator(".story-steps .agent")).to_have_count(3)
    window.quiet()


async def test_the_raw_events_are_those_of_the_wire(window: Window) -> None:
    """All events of a run, followed while it goes on, none twice, and what is copied is what the socket brought."""
    await window.say(json.dumps({"steps": 6, "pause": 0.35}), agent="stepper")
    await window.turn().locator(".story-bar").get_by_role("button", name="Events").click()
    drawer = window.page.get_by_role("dialog", name="Events of this run")
    await expect(drawer.locator(".raw-type").last).to_have_text("agent_completed", timeout=20_000)
    numbers = [int(text) for text in await drawer.locator(".raw-seq").all_text_contents()]
    assert numbers == list(range(1, len(numbers) + 1))
    await drawer.get_by_role("button", name="Copy all").click()
    await expect(drawer.get_by_role("button", name="Copied")).to_be_visible()
    copied = [json.loads(line) for line in (await window.evaluate("navigator.clipboard.readText()")).splitlines()]
    heard = [told for frame in window.frames if "run_seq" in (told := json.loads(frame))]
    assert copied == heard
    await drawer.locator("summary").first.click()
    await expect(drawer.locator("pre").first).to_contain_text('"type": "message_accepted"')
    await window.page.keyboard.press("Escape")
    await expect(drawer).to_have_count(0)
    window.quiet()


@pytest.mark.parametrize(("agent", "state"), [("raiser", "failed"), ("sleeper", "cancelled")])
async def test_what_did_not_work_out_is_tried_again(window: Window, agent: str, state: str) -> None:
    """A failed run and one past its time: the same words again, to the same agent, as a new message of its own."""
    await window.say("please try", agent=agent)
    turn = await window.ended(state)
    await window.page.get_by_label("Agent").select_option("echo")
    await turn.get_by_role("button", name="Send it again").click()
    await expect(window.page.locator(f".turn[data-state={state}]")).to_have_count(2)
    assert await window.said() == ["please try"] * 2
    sent = {json.loads(frame)["data"]["client_id"] for frame in window.frames if '"message_accepted"' in frame}
    assert len(sent) == 2
    window.quiet()


async def test_a_server_that_asks_to_wait_is_waited_for(visit: Visit) -> None:
    """`rate_limited` on the socket: the seconds are counted down at the message, which then goes by itself."""
    window = await visit()
    refused: list[str] = []

    def slow_down(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def up(frame: str | bytes) -> None:
            told = json.loads(frame)
            if told["do"] == "send" and not refused:
                refused.append(told["client_id"])
                error = {
                    "type": "error",
                    "id": told["id"],
                    "code": "rate_limited",
                    "message": "Slow.",
                    "retry_after": 2,
                }
                socket.send(json.dumps(error))
            else:
                server.send(frame)

        server.on_message(socket.send)
        socket.on_message(up)

    await window.page.route_web_socket("**/v1/ws", slow_down)
    await window.sign_up()
    await window.say("patience", agent="echo")
    await expect(
        window.page.get_by_text(re.compile(r"That was a lot at once. This is sent in [12] s."))
    ).to_be_visible()
    await window.ended("completed")
    assert await window.said() == ["patience"]
    window.quiet()


async def test_signing_in_counts_down(visit: Visit) -> None:
    """Too many tries: the button says for how many seconds it waits, and works again after them."""
    window = await (await visit()).open()

    async def refuse(route: Route) -> None:
        headers = {"content-type": "application/problem+json", "retry-after": "2"}
        await route.fulfill(status=429, headers=headers, body='{"code":"rate_limited","detail":"Too many tries."}')

    await window.page.route("**/v1/auth/register", refuse, times=1)
    await window.fill_form("patient.person@example.com", "a long sentence to wait with")
    await window.button("Create account").click()
    await expect(window.page.get_by_role("button", name=re.compile(r"Create account in [12] s"))).to_be_visible()
    await expect(window.page.get_by_role("alert").filter(has_text="Too many tries.")).to_be_visible()
    await window.button("Create account").click()
    await window.ready()
    window.quiet("status of 429")


async def test_a_busy_server_is_told_from_a_lost_one(visit: Visit) -> None:
    """503 where the page begins: skeletons, and a line that says so, until the server answers."""
    window = await (await visit()).sign_up()
    busy = {"status": 503, "headers": {"retry-after": "1"}, "body": '{"code":"busy","detail":"Too busy."}'}
    await window.page.route("**/v1/snapshot", lambda route: route.fulfill(**busy), times=2)
    await window.page.reload()
    await expect(window.page.locator(".side .skeleton")).to_be_visible()
    await expect(window.notice).to_contain_text("The server has too much to do just now")
    await window.ready()
    await expect(window.page.locator(".side .skeleton")).to_be_hidden()
    window.quiet("status of 503")


async def test_a_device_without_a_network_says_so(visit: Visit) -> None:
    """The network goes: the page says that the device is offline and keeps what is written; it comes: it is sent."""
    window = await visit()
    sockets = await window.passing()
    await window.sign_up()
    await window.page.context.set_offline(True)
    await sockets[0].close(code=4002)
    await expect(window.notice).to_contain_text("This device is offline.")
    await window.say("from the train", agent="echo")
    await expect(window.page.get_by_text("This is kept and will be sent.")).to_be_visible()
    await window.page.context.set_offline(False)
    await window.ended("completed")
    assert await window.said() == ["from the train"]
    window.quiet("ERR_INTERNET_DISCONNECTED")

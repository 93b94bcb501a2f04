"""What a person sees when the window is loaded again, the network fails, the server dies, or another device is at work."""

import asyncio
import json
import time
from collections.abc import Iterator

import pytest
from playwright.async_api import FilePayload, Route, WebSocketRoute, expect

from page.conftest import Visit
from page.test_attaching import FAILING
from page.window import GONE, Window
from support.server import Factory, Server

pytestmark = [pytest.mark.page, pytest.mark.l3, pytest.mark.asyncio(loop_scope="session")]

LOST = "Connection lost – trying again…"
FOUND = "Connected again. Nothing was lost."
CALM_NETWORK = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this file alone, for the tests that take it down."""
    server = Server(tmp_path_factory.mktemp("frail"))
    yield server
    server.end()


@pytest.fixture
def frail(own_server: Server) -> Server:
    """It is up when a test begins, whatever the one before did to it."""
    if not own_server.alive:
        own_server.start()
    return own_server


def steps(count: int, pause: float) -> str:
    """Orders for the agent that takes small steps."""
    return json.dumps({"steps": count, "pause": pause})


async def whole_story(window: Window, count: int) -> None:
    """Every step of the last turn once, in order, and the whole answer."""
    await window.unfold()
    assert await window.thoughts() == [f"Step {n}" for n in range(count)]
    assert await window.tools() == ["lookup"] * count
    assert (await window.answer()).split() == [word for n in range(count) for word in ("Done", f"{n}.")]


async def test_a_reload_midway_shows_the_same_story(visit: Visit) -> None:
    """Loaded again twice in the middle of a run: what happened before is there, what happens after comes, nothing doubled."""
    window = await (await visit()).sign_up()
    await window.say(steps(14, 0.3), agent="stepper")
    for place in (2, 6):
        await expect(window.page.locator(".thought-text").nth(place)).to_be_visible()
        await window.page.reload()
        await expect(window.turn()).to_have_attribute("data-state", "running")
        await expect(window.page.locator(".thought-text").nth(place)).to_be_visible()
    await window.ended("completed")
    await whole_story(window, 14)
    window.quiet()


async def test_a_long_log_is_joined_at_its_snapshot(visit: Visit) -> None:
    """Where the log is too long to be read from its beginning: texts, the story so far and the rest of it are whole all the same."""
    window = await (await visit()).sign_up()
    await window.say("what was said before", agent="echo")
    await window.ended("completed")
    await window.say(steps(12, 0.3), agent="stepper")
    await expect(window.page.locator(".thought-text").nth(3)).to_be_visible()

    async def lengthen(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json={**await answer.json(), "last_seq": 1_000_000})

    await window.page.route("**/v1/snapshot", lengthen)
    await window.page.reload()
    await expect(window.turn()).to_have_attribute("data-state", "running")
    await window.ended("completed")
    await whole_story(window, 12)
    assert (await window.said())[0] == "what was said before"
    assert await window.answer(window.turn(0)) == "what was said before"
    await window.unfold(window.turn(0))
    await expect(window.turn(0).locator(".thought-text")).to_have_text("Thinking about what was said before")
    window.quiet()


async def test_frames_lost_doubled_and_late_change_nothing(visit: Visit) -> None:
    """A network that drops, doubles and swaps frames of the feed: each event is applied once, the lost ones are asked for again."""
    window = await visit()
    done = {"dropped": 0, "doubled": 0, "late": 0, "followed": 0}
    held: list[str] = []

    def meddle(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def down(frame: str | bytes) -> None:
            told = json.loads(frame)
            seq = told.get("seq", 0)
            if seq % 7 == 3 and done["dropped"] < 3 and not held:
                done["dropped"] += 1
            elif seq % 7 == 5 and done["late"] < 3 and not held:
                held.append(str(frame))
            else:
                socket.send(frame)
                if seq % 4 == 0 and seq:
                    done["doubled"] += 1
                    socket.send(frame)
                while held:
                    done["late"] += 1
                    socket.send(held.pop())

        def up(frame: str | bytes) -> None:
            done["followed"] += json.loads(frame)["do"] == "follow"
            server.send(frame)

        server.on_message(down)
        socket.on_message(up)

    await window.page.route_web_socket("**/v1/ws", meddle)
    await window.sign_up()
    await window.say(steps(10, 0.05), agent="stepper")
    await window.ended("completed")
    await whole_story(window, 10)
    assert min(done.values()) >= 2, f"the network was too kind: {done}"
    assert done["followed"] <= 1 + done["dropped"] + done["late"], f"what came twice was asked for again: {done}"
    window.quiet()


async def test_a_resync_starts_over_from_the_snapshot(visit: Visit) -> None:
    """The cursor is refused when the connection comes back: the page reads the snapshot, follows from there, and shows all of it."""
    window = await visit()
    sockets: list[WebSocketRoute] = []

    def refuse(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()
        asked: list[str] = []

        def up(frame: str | bytes) -> None:
            told = json.loads(frame)
            if told["do"] == "follow" and len(sockets) == 2 and not asked:
                asked.append(told["after"])
                told["after"] = "a cursor of a log that was put back"
            server.send(json.dumps(told))

        server.on_message(socket.send)
        socket.on_message(up)

    await window.page.route_web_socket("**/v1/ws", refuse)
    await window.sign_up()
    await window.say("before the break", agent="echo")
    await window.ended("completed")
    await window.say(steps(10, 0.3), agent="stepper")
    await expect(window.page.locator(".thought-text").nth(3)).to_be_visible()
    await sockets[0].close(code=1012)
    await window.ended("completed")
    await whole_story(window, 10)
    assert (await window.said())[0] == "before the break"
    assert await window.answer(window.turn(0)) == "before the break"
    assert len(sockets) == 2
    window.quiet()


STOPS = {4503: "may not open", 4504: "Too many windows", 4505: "Reload the page", 4506: "older than the server"}


async def test_a_close_that_says_stop_is_obeyed(visit: Visit) -> None:
    """Close codes from 4500 on: no new socket is opened by itself, the page says why, and a click tries again."""
    window = await visit()
    sockets = await window.passing()
    await window.sign_up()
    for tried, (code, word) in enumerate(STOPS.items(), 1):
        await sockets[-1].close(code=code)
        await expect(window.notice).to_contain_text(word)
        await window.evaluate("dispatchEvent(new Event('online'))")
        await window.evaluate("new Promise((done) => setTimeout(done, 700))")
        assert len(sockets) == tried
        await window.button("Try now").click()
        await expect(window.notice).to_contain_text(FOUND)
        assert len(sockets) == tried + 1
    window.quiet()


async def test_kill_minus_nine_midway_is_survived(visit: Visit, frail: Server) -> None:
    """The server dies in the middle of a run and comes back: the page says both, shows how the run ended, and can send it again."""
    server = frail
    window = await (await visit(at=server)).sign_up()
    await window.say(steps(6, 0.4), agent="stepper")
    await expect(window.page.locator(".thought-text").nth(1)).to_be_visible()
    server.kill()
    await expect(window.notice).to_contain_text(LOST)
    await expect(window.page.get_by_text("Not connected")).to_be_visible()
    server.start()
    await expect(window.notice).to_contain_text(FOUND)
    turn = await window.ended("failed")
    await expect(turn.locator(".outcome")).to_contain_text("worker_lost")
    before = await window.thoughts()
    assert before == [f"Step {n}" for n in range(len(before))]
    await turn.get_by_role("button", name="Send it again").click()
    await expect(window.page.locator(".turn")).to_have_count(2)
    await window.ended("completed")
    assert await window.thoughts() == [f"Step {n}" for n in range(6)]
    window.quiet(GONE)


async def test_what_is_written_while_the_server_is_away_is_sent_once(visit: Visit, frail: Server) -> None:
    """Written into a dead connection, it is kept, said so, and sent once when the server is back."""
    server = frail
    window = await (await visit(at=server)).sign_up()
    server.kill()
    await expect(window.notice).to_contain_text(LOST)
    await window.say("kept for later", agent="echo")
    await window.say("and this too", agent="echo")
    await expect(window.page.get_by_text("Waiting for the connection.").first).to_be_visible()
    server.start()
    await expect(window.page.locator(".turn[data-state=completed]")).to_have_count(2)
    assert await window.said() == ["kept for later", "and this too"]
    await window.page.reload()
    await expect(window.page.locator(".turn[data-state=completed]")).to_have_count(2)
    window.quiet(GONE)


async def test_an_upload_that_lost_its_connection_goes_on_by_itself(visit: Visit, frail: Server) -> None:
    """The server dies under an upload: said at the file; when it is back, so is the file, and the message goes with it."""
    server = frail
    window = await (await visit(at=server)).sign_up()
    await window.page.get_by_label("Agent").select_option("triage")
    network = await window.page.context.new_cdp_session(window.page)
    await network.send("Network.emulateNetworkConditions", {**CALM_NETWORK, "uploadThroughput": 50_000})
    report: FilePayload = {"name": "report.xml", "mimeType": "text/xml", "buffer": FAILING.encode() + b" " * 400_000}
    await window.page.locator("input[type=file]").set_input_files(report)
    await expect(window.page.locator(".chip-word")).to_contain_text("% of")
    server.kill()
    await expect(window.page.locator(".chip")).to_contain_text("Interrupted: goes on when the connection is back.")
    await network.send("Network.emulateNetworkConditions", CALM_NETWORK)
    server.start()
    await expect(window.page.locator(".chip-word")).to_have_text("390.8 KiB")
    await window.button("Send").click()
    await window.ended("completed")
    assert "1 failed" in await window.answer()
    window.quiet(GONE)


async def test_a_reload_before_the_answer_neither_loses_nor_doubles(visit: Visit) -> None:
    """The message has left, its answer never came, the window is loaded again: sent again under the same name, it is one message."""
    window = await visit()
    sent: list[str] = []

    def swallow(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def up(frame: str | bytes) -> None:
            if json.loads(frame)["do"] == "send":
                sent.append(json.loads(frame)["client_id"])
            server.send(frame)

        def down(frame: str | bytes) -> None:
            told = json.loads(frame)
            if len(sent) != 1 or told.get("type") not in {"result", "message_accepted"}:
                socket.send(frame)

        server.on_message(down)
        socket.on_message(up)

    await window.page.route_web_socket("**/v1/ws", swallow)
    await window.sign_up()
    await window.say("only once", agent="echo")
    await expect(window.page.locator(".turn.pending")).to_have_count(1)
    await window.page.reload()
    await expect(window.page.locator(".turn[data-state=completed]")).to_have_count(1)
    await expect(window.page.locator(".turn.pending")).to_have_count(0)
    assert len(sent) == 2
    assert len(set(sent)) == 1
    links = window.page.get_by_role("navigation", name="Conversations").get_by_role("link")
    await expect(links).to_have_count(1)
    window.quiet()


async def test_two_devices_see_the_same(visit: Visit) -> None:
    """A second device of the same person shows the run while it goes on, and in the end the same words; a stop there is a stop here."""
    phone = await (await visit()).sign_up()
    laptop = await (await visit()).sign_in(phone)
    await phone.say(steps(8, 0.2), agent="stepper")
    links = laptop.page.get_by_role("navigation", name="Conversations").get_by_role("link")
    await links.first.click()
    await expect(laptop.turn()).to_have_attribute("data-state", "running")
    await laptop.ended("completed")
    await phone.ended("completed")
    await whole_story(phone, 8)
    await whole_story(laptop, 8)
    await phone.say(json.dumps({"mark": "two devices"}), agent="slow_tool")
    await laptop.turn().get_by_role("button", name="Stop").click()
    await phone.ended("cancelled")
    phone.quiet()
    laptop.quiet()


async def test_a_second_person_sees_nothing(visit: Visit) -> None:
    """Two people at one server: none of the one's words reaches the other's window, nor does the address of the conversation open it."""
    alice, bob = await (await visit()).sign_up(), await (await visit()).sign_up()
    await alice.say("canary-of-alice", agent="echo")
    await alice.ended("completed")
    await bob.say("words of bob", agent="echo")
    await bob.ended("completed")
    await bob.page.goto(alice.page.url)
    await expect(bob.page.get_by_text("There is no such conversation here.")).to_be_visible()
    assert "canary-of-alice" not in await bob.page.content()
    assert not [frame for frame in bob.frames if "canary-of-alice" in frame]
    assert [frame for frame in alice.frames if "canary-of-alice" in frame]
    alice.quiet()
    bob.quiet()


async def test_another_person_in_the_same_browser_sees_nothing(visit: Visit) -> None:
    """One signs out, another signs in, in the same window: conversations, drafts and addresses of the first are gone."""
    window = await (await visit()).sign_up()
    await window.say("canary-of-the-first", agent="echo")
    await window.ended("completed")
    await window.composer.fill("canary-draft")
    await window.button("Sign out").click()
    await window.button("Create an account").click()
    await window.fill_form("another." + window.email, "another long sentence")
    await window.button("Create account").click()
    await window.ready()
    assert "canary" not in await window.page.content()
    assert "canary" not in await window.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, location.href])"
    )
    assert await window.composer.input_value() == ""
    window.quiet()


async def test_tokens_are_renewed_without_a_word(visit: Visit, server_factory: Factory) -> None:
    """Access tokens that live for seconds: the window goes on for several of their lives, and nothing of it is seen.

    Also where the first has ended before it arrives: it is not tried, but renewed.
    """
    life = 4  # a busy machine needs a second of it for a request
    server: Server = server_factory(environment={"QUINTET_ACCESS_TOKEN_SECONDS": str(life)})
    window = await visit(at=server)

    async def hold_back(route: Route) -> None:
        answer = await route.fetch()
        await asyncio.sleep(life)  # the slow network itself, not a wait for anything
        await route.fulfill(response=answer)

    await window.page.route("**/v1/auth/register", hold_back)
    await window.sign_up()
    begun = time.monotonic()
    await window.say(steps(15, 0.6), agent="stepper")
    await window.ended("completed", seconds=60)
    assert time.monotonic() - begun > 2 * life
    await whole_story(window, 15)
    await expect(window.notice).to_be_hidden()
    renewed = [frame for frame in window.frames if '"expires_in"' in frame and '"type":"result"' in frame]
    assert len(renewed) >= 3
    window.quiet()


async def test_a_drained_server_says_that_it_comes_back(visit: Visit, frail: Server) -> None:
    """A server that is shut down in order says so; the page passes it on, and is there again when the server is."""
    server = frail
    window = await (await visit(at=server)).sign_up()
    server.stop()
    await expect(window.notice).to_contain_text("The server is restarting.")
    server.start()
    await expect(window.notice).to_contain_text(FOUND)
    window.quiet(GONE)

"""Sending: accepted once per client id, refused with a code and nothing stored, queued within bounds."""

import asyncio
import json

import pytest

from quintet.testing.contracts import whole
from support.effects import effects
from support.world import World

pytestmark = pytest.mark.l3


async def test_the_same_client_id_fifty_times_at_once(world: World) -> None:
    """Two devices and HTTP, fifty times: one message, one run, one answer."""
    alice = await world.user()
    devices = [await world.device(alice, name=f"device {n}") for n in range(2)]
    thread = (await alice.http.post("/v1/threads", json={})).json()["id"]
    fields = {"client_id": "once", "text": json.dumps({"text": "once", "mark": f"once-{alice.id}"})}
    frames = [d.request("send", agent="researcher", thread_id=thread, **fields) for d in devices for _ in range(20)]
    posts = [
        alice.http.post(f"/v1/threads/{thread}/messages", json={"agent": "researcher", **fields}) for _ in range(10)
    ]
    told = await asyncio.gather(*frames)
    bodies = {json.dumps({k: v for k, v in t.items() if k not in {"id", "type"}}, sort_keys=True) for t in told}
    answers = await asyncio.gather(*posts)
    assert {a.status_code for a in answers} == {202}
    bodies |= {json.dumps(a.json(), sort_keys=True) for a in answers}
    assert len(bodies) == 1, f"different answers: {bodies}"
    run = whole(await devices[0].run(told[0]["run_id"]))
    assert len(devices[0].story.of_type("message_accepted")) == 1
    assert effects(world.server, f"once-{alice.id}") == ["lookup", "lookup"], "one run"
    late = await devices[1].request("send", agent="researcher", thread_id=thread, **fields)
    assert late["run_id"] == run[0]["run_id"], "also after its end"


async def test_another_content_under_a_client_id_is_a_conflict(world: World) -> None:
    """Text, thread or agent changed: `conflict`, and nothing is stored."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say("first", client_id="mine", agent="echo")
    whole(await device.run(said.run_id))
    before = (await alice.snapshot())["last_seq"]
    for change in ({"text": "other"}, {"agent": "silent"}, {"thread_id": said.thread_id}):
        fields = {"client_id": "mine", "text": "first", "agent": "echo"} | change
        told = await device.request("send", **fields)
        assert (told["type"], told["code"]) == ("error", "conflict"), device.shown(f"{change}: {told}")
    assert (await alice.snapshot())["last_seq"] == before


async def test_an_unknown_agent_stores_nothing(world: World) -> None:
    """`unknown_agent`, also for an empty name or one of any length; the same client id can be used again."""
    alice = await world.user()
    device = await world.device(alice)
    for name in ("nobody", "", "n" * 300):
        told = await device.request("send", client_id="c", text="hello", agent=name)
        assert (told["type"], told["code"]) == ("error", "unknown_agent"), name
    snapshot = await alice.snapshot()
    assert (snapshot["last_seq"], snapshot["threads"]) == (0, [])
    assert whole(await device.tell("hello", "echo")).ending["data"]["text"] == "hello"
    assert (await device.say("hello", client_id="c", agent="echo")).run_id


async def test_the_default_agent_answers(world: World) -> None:
    """Without a name it is `assistant`, which needs nothing and answers."""
    device = await world.device(await world.user())
    said = await device.say("What can you do?")
    run = whole(await device.run(said.run_id))
    assert run[1]["agent"]["name"] == "assistant"
    assert run.ending["data"]["text"]


async def test_the_length_of_a_text(world: World) -> None:
    """32 KiB are taken, one byte more is `too_long`; bytes are counted, not characters."""
    alice = await world.user()
    device = await world.device(alice)
    assert whole(await device.tell("é" * 16_384, "echo", within=30)).ending["data"]["text"] == "é" * 16_384
    before = (await alice.snapshot())["last_seq"]
    for text in ("x" * 32_769, "é" * 16_384 + "x"):
        told = await device.request("send", client_id="long", text=text, agent="echo")
        assert (told["type"], told["code"]) == ("error", "too_long"), device.shown(str(told))
    assert (await alice.snapshot())["last_seq"] == before
    whole(await device.tell("short", "echo"))


async def test_a_thread_appends_no_event_of_its_own_when_sent_to(world: World) -> None:
    """Sending makes a thread without a thread event; renaming appends one, on every device."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say("hello", agent="echo")
    run = whole(await device.run(said.run_id))
    assert [e["seq"] for e in device.events] == [e["seq"] for e in run]
    renamed = await alice.http.patch(f"/v1/threads/{said.thread_id}", json={"title": "Named"})
    assert (renamed.status_code, renamed.json()["title"]) == (200, "Named")
    event = await device.find("thread_updated", lambda e: e.type == "thread_updated")
    assert (event["thread_id"], event["data"]["title"]) == (said.thread_id, "Named")
    assert "run_id" not in event.body and "agent" not in event.body and "run_seq" not in event.body
    fresh = await world.device(alice, name="fresh")
    assert fresh.events[-1].raw == event.raw, "a later device reads the log to its end too"


async def test_five_run_twenty_wait_the_next_is_refused(world: World) -> None:
    """Five runs of a user at once, twenty queued, then `queue_full` with a time to wait; an ended one makes room."""
    alice = await world.user()
    device = await world.device(alice)
    said = [await device.say({"mark": f"full-{n}"}, agent="slow_tool") for n in range(25)]
    await device.step("five tools", lambda: len(device.story.of_type("tool_executing")) >= 5 or None)
    assert len(device.story.of_type("agent_started")) == 5
    states = [(await alice.get(f"/v1/runs/{s.run_id}"))["state"] for s in said]
    assert (states.count("running"), states.count("queued")) == (5, 20)
    told = await device.request("send", client_id="too many", text="x", agent="echo")
    assert (told["type"], told["code"]) == ("error", "queue_full")
    assert told["retry_after"] > 0
    await alice.cancel(said[24].run_id)
    assert (await device.request("send", client_id="too many", text="x", agent="echo"))["type"] == "result"
    for message in reversed(said):
        await alice.cancel(message.run_id)
    for message in said:
        whole(await device.run(message.run_id))


async def test_agents_are_listed(world: World) -> None:
    """GET /v1/agents tells names and descriptions, the shipped and the added."""
    alice = await world.user()
    told = await alice.get("/v1/agents")
    items = told["items"] if isinstance(told, dict) else told
    named = {a["name"]: a["description"] for a in items}
    assert {"assistant", "triage", "echo", "coordinator"} <= named.keys()
    assert named["echo"] == "Says what it was told, in thinking, tool and text"

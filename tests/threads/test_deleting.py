"""Deleting and renaming a thread at a real server, with its work going on and its reader at the socket."""

import asyncio
import secrets
import time
from pathlib import Path

import pytest

from quintet.testing.contracts import whole
from support.effects import effect, effects
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3


async def test_deleting_a_thread_stops_its_work_and_leaves_nothing(world: World) -> None:
    """The tool is cancelled, the socket sees one ending and then `thread_deleted`; afterwards no route, no reader, no file has any of it."""
    alice = await world.user()
    device = await world.device(alice)
    canary = f"canary{secrets.token_hex(12)}"
    kept = await device.say("kept", agent="echo")
    whole(await device.run(kept.run_id))
    said = await device.say({"text": canary, "mark": canary, "seconds": 60}, agent="slow_tool")
    await device.find("the tool", lambda e: e.run == said.run_id and e.type == "tool_executing")
    await effect(world.server, "begun", canary)
    file = (await alice.http.post("/v1/attachments", files={"file": ("f.txt", canary.encode(), "text/plain")})).json()
    waiting = await device.say(canary, thread_id=said.thread_id, agent="echo", attachments=[file["id"]])
    renamed = await alice.http.patch(f"/v1/threads/{said.thread_id}", json={"title": f"about {canary}"})
    assert renamed.status_code == 200
    cursors = {event["seq"]: event["cursor"] for event in device.events}

    answer = await alice.http.delete(f"/v1/threads/{said.thread_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    await device.find("the deletion", lambda e: e.type == "thread_deleted" and e["thread_id"] == said.thread_id)
    for run_id in (said.run_id, waiting.run_id):
        endings = [e for e in device.events if e.run == run_id and e.body.get("final")]
        assert [e.type for e in endings] == ["agent_cancelled"], device.shown("one ending each was due")
    await effect(world.server, "cancelled", canary, 7)
    assert "done" not in effects(world.server, canary)

    for path in (
        f"/v1/threads/{said.thread_id}",
        f"/v1/threads/{said.thread_id}/messages",
        f"/v1/runs/{said.run_id}",
        f"/v1/runs/{said.run_id}/events",
        f"/v1/runs/{waiting.run_id}",
        f"/v1/attachments/{file['id']}",
    ):
        assert (await alice.http.get(path)).status_code == 404, path
    assert (await alice.http.delete(f"/v1/threads/{said.thread_id}")).status_code == 404
    snapshot = await alice.snapshot()
    assert ([t["id"] for t in snapshot["threads"]], snapshot["runs"]) == ([kept.thread_id], [])

    late = await world.device(alice, name="late")
    assert canary.encode() not in late.received()
    assert [e.raw for e in late.events if e.run == kept.run_id] == [
        e.raw for e in device.events if e.run == kept.run_id
    ]
    assert {e.type for e in late.events if e.body.get("thread_id") == said.thread_id} == {"thread_deleted"}
    assert late.events[-1]["seq"] == snapshot["last_seq"]
    for seq, cursor in cursors.items():
        assert (await late.following(cursor))["last_seq"] == seq
        assert late.events[-1]["seq"] == snapshot["last_seq"]

    deadline = time.monotonic() + 10
    while any(canary.encode() in path.read_bytes() for path in world.server.data.glob("*.db*")):
        assert time.monotonic() < deadline, "the database's files still hold what was deleted"
        await asyncio.sleep(0.05)
    assert canary not in world.server.logged()


async def test_what_was_sent_to_a_deleted_thread_is_not_done_again(world: World) -> None:
    """A sender that repeats an unanswered send after the deletion gets `not_found`, not a second run."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say("once", agent="echo", client_id="c")
    whole(await device.run(said.run_id))
    assert (await alice.http.delete(f"/v1/threads/{said.thread_id}")).status_code == 204
    told = await device.request("send", client_id="c", text="once", agent="echo")
    assert (told["type"], told["code"]) == ("error", "not_found")
    assert (await alice.get("/v1/threads"))["items"] == []


async def test_renaming_and_deleting_are_heard_on_every_device(world: World) -> None:
    """`thread_updated` with the title and `thread_deleted`, no `run_id`, on each device of the user, the same bytes."""
    alice = await world.user()
    one, two = await world.device(alice, name="one"), await world.device(alice, name="two")
    thread = (await alice.http.post("/v1/threads", json={"title": "first"})).json()
    assert (await alice.http.patch(f"/v1/threads/{thread['id']}", json={"title": "second"})).json()["title"] == "second"
    assert (await alice.http.delete(f"/v1/threads/{thread['id']}")).status_code == 204
    for device in (one, two):
        await device.find("the deletion", lambda e: e.type == "thread_deleted")
        assert [e.type for e in device.events] == ["thread_updated", "thread_deleted"]
        assert device.events[0]["data"]["title"] == "second"
        assert not any("run_id" in e.body or "run_seq" in e.body for e in device.events)
    assert [e.raw for e in one.events] == [e.raw for e in two.events]


async def test_a_deletion_that_a_crash_cut_off_is_finished_before_anything_is_served(
    server_factory: Factory, tmp_path: Path
) -> None:
    """A kill -9 between two portions: the next start serves nothing of the thread, no reader and no file has a byte of it."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        device = await world.device(alice)
        canary = f"canary{secrets.token_hex(12)}"
        orders = {"steps": 400, "pause": 0}
        doomed = await device.say({**orders, "canary": canary}, agent="stepper")
        stays = await device.say(orders, agent="stepper")
        whole(await device.run(doomed.run_id, 60))
        kept = [e.raw for e in whole(await device.run(stays.run_id, 60))]
        deleting = asyncio.create_task(alice.http.delete(f"/v1/threads/{doomed.thread_id}"))
        await device.find("the deletion", lambda e: e.type == "thread_deleted")
        server.kill()
        await asyncio.gather(deleting, return_exceptions=True)
        left = server.query(tmp_path / "copy", f"SELECT count(*) FROM events WHERE run_id = '{doomed.run_id}'")[0][0]
        assert 0 < int(str(left)) <= len(device.events), "the kill came too late to prove anything"
        await asyncio.to_thread(server.start)
        assert (await alice.http.get(f"/v1/threads/{doomed.thread_id}")).status_code == 404
        assert [t["id"] for t in (await alice.get("/v1/threads"))["items"]] == [stays.thread_id]
        late = await world.device(alice, name="late")
        assert canary.encode() not in late.received()
        assert [e.raw for e in late.events if e.run == stays.run_id] == kept
        deadline = time.monotonic() + 10
        while any(canary.encode() in path.read_bytes() for path in server.data.glob("*.db*")):
            assert time.monotonic() < deadline, "the database's files still hold what was deleted"
            await asyncio.sleep(0.05)
        assert "were being deleted when the last server ended" in server.logged()

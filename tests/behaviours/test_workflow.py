"""Several agents in one run, and runs that go wrong: what the user's socket is told."""

import asyncio
import json

import pytest

from quintet.testing.contracts import FIVE, whole
from support.checks.isolation import WORKLOADS, check_isolation
from support.runs import agents
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3


async def test_multi_agent_workflow_websocket_coordination(world: World) -> None:
    """Three agents in a planned order, all five kinds of event from each, nesting by parent, each result handed on."""
    alice = await world.user()
    device = await world.device(alice)
    run = whole(await device.tell({"topic": "violins", "mark": "plan"}, "coordinator"))
    order = [e["agent"]["name"] for e in run.of_type("agent_started")]
    assert order == ["coordinator", "scout", "analyst", "scribe"]
    root = run[1]["agent"]["id"]
    before = 0
    for name in order[1:]:
        part = agents(run, name)
        assert {e.type for e in part} >= set(FIVE), f"{name} shows all five"
        assert {e["agent"]["parent_id"] for e in part} == {root}
        places = [e["run_seq"] for e in part]
        assert places == list(range(places[0], places[0] + len(places))), f"events of another agent lie within {name}"
        assert places[0] > before, f"{name} comes after the one before it"
        before = places[-1]
    started = {e["agent"]["name"]: e["data"]["input"] for e in run.of_type("agent_started")}
    results = {e["agent"]["name"]: e["data"]["result"] for e in run.of_type("agent_completed") if "result" in e["data"]}
    assert started["scout"]["topic"] == "violins"
    assert started["analyst"] == results["scout"], "the scout's result is what the analyst was asked"
    assert started["scribe"] == results["analyst"]
    assert json.loads(run.ending["data"]["text"]) == results["scribe"], "the last result is the answer"
    texts = [m["text"] for m in await alice.messages(run[0]["thread_id"])]
    assert len(texts) == 2 and texts[1] == run.ending["data"]["text"], "only the root's words become a message"


async def test_websocket_error_event_handling(world: World) -> None:
    """An agent that raises: its start and thought arrive, then one safe failure; the same socket goes on at once."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say("please fail", agent="raiser")
    run = whole(await device.run(said.run_id))
    assert [e.type for e in run] == ["message_accepted", "agent_started", "agent_thinking", "agent_failed"]
    error = run.ending["data"]["error"]
    assert (error["code"], error["retryable"]) == ("agent_error", False)
    for word in (b"Traceback", b"ValueError", b"secret.py", b"-raised"):
        assert word not in device.received(), device.shown(f"{word!r} of the exception is shown to the user")
    assert run.ending["trace_id"] in world.server.logged(), "the log knows the failure under its trace id"
    assert (await alice.get(f"/v1/runs/{said.run_id}"))["error"]["code"] == "agent_error"
    after = whole(await device.tell("go on", "echo", thread_id=said.thread_id))
    assert after.ending.type == "agent_completed"
    assert after[1].at - run[-1].at < 1.0, "the next run starts at once"


async def test_what_fails_below_can_be_survived(world: World) -> None:
    """A tool that raises, is too slow, or gets wrong arguments, and a child that fails, each with its code; the parent goes on."""
    device = await world.device(await world.user())
    run = whole(await device.tell("try all", "catcher"))
    assert run.ending["data"]["text"] == "broken=tool_error slow=tool_timeout arguments=bad_arguments child=agent_error"
    statuses = [(b["data"]["tool"], b["data"]["status"], b["data"]["error"]["code"]) for _, b in run.calls]
    assert statuses == [
        ("broken", "error", "tool_error"),
        ("slow", "timeout", "tool_timeout"),
        ("repeat", "error", "bad_arguments"),
    ]
    assert [e.type for e in agents(run, "raiser")][-1] == "agent_failed"
    run.schema()
    failed = whole(await device.tell("and not caught", "bad_args"))
    assert failed.ending.type == "agent_failed"
    assert not any("no such parameter" in line for line in world.server.done()), "the tool did not run"


async def test_websocket_event_data_integrity_and_user_isolation(world: World) -> None:
    """Two users, two agents, at once, each with a secret word: each socket has all of its own and nothing of the other's."""
    await check_isolation(world, 2, workloads=("researcher", "coordinator"), rounds=3)


async def test_concurrent_user_event_isolation(world: World) -> None:
    """Six users with different workloads at once; ownership is which socket received the frame."""
    await check_isolation(world, 6, workloads=WORKLOADS)


async def test_concurrent_user_event_isolation_negative_control(server_factory: Factory) -> None:
    """The same check at a server whose router is broken on purpose is red, so its green means something."""
    server = server_factory(command=("sabotage/serve.py", "broadcast", "--"))
    with pytest.raises(AssertionError, match="received what belongs to"):
        async with asyncio.timeout(60), World(server, strict=False) as world:
            await check_isolation(world, 3)

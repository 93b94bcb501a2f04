"""The agent execution core: nine behaviours of a run, and the agents that try to break them."""

import asyncio

import pytest

from quintet.testing.contracts import whole
from support.checks.fence import check_nothing_after_the_end
from support.runs import agents
from support.world import World

pytestmark = pytest.mark.l3


async def test_agent_execution_success(world: World) -> None:
    """A message is accepted, worked on, answered; the run, the thread and the log agree about it."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say("hello there", agent="echo")
    run = whole(await device.run(said.run_id))
    assert run.ending["data"]["text"] == "hello there"
    assert run[0]["data"]["text"] == "hello there"
    assert run[0]["cursor"] == said.answer["cursor"]
    told = await alice.get(f"/v1/runs/{said.run_id}")
    assert (told["id"], told["state"], told["agent"], told["thread_id"]) == (
        said.run_id,
        "completed",
        "echo",
        said.thread_id,
    )
    assert told["created_at"] <= told["started_at"] <= told["ended_at"]
    messages = await alice.messages(said.thread_id)
    assert [(m["role"], m["text"], m["run_id"]) for m in messages] == [
        ("user", "hello there", said.run_id),
        ("agent", "hello there", said.run_id),
    ]
    listed = await alice.get(f"/v1/runs/{said.run_id}/events")
    items = listed["items"] if isinstance(listed, dict) else listed
    assert items == [e.body for e in run]


async def test_agent_execution_failure(world: World) -> None:
    """A failing agent's run is failed everywhere it can be seen, with one safe sentence."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say("fail", agent="raiser")
    run = whole(await device.run(said.run_id))
    assert run.ending.type == "agent_failed"
    told = await alice.get(f"/v1/runs/{said.run_id}")
    assert told["state"] == "failed"
    assert told["error"]["code"] == run.ending["data"]["error"]["code"] == "agent_error"
    assert told["error"]["message"] == run.ending["data"]["error"]["message"]


async def test_agent_that_returns_nothing_is_a_failure(world: World) -> None:
    """Nothing said and nothing returned is `no_answer`, not silence."""
    device = await world.device(await world.user())
    run = whole(await device.tell("say something", "silent"))
    assert run.ending["data"]["error"]["code"] == "no_answer"


async def test_agent_timeout_is_cancelled_and_says_so(world: World) -> None:
    """0.5 s of work under a limit of 0.1 s: `agent_cancelled` `timeout`, on time, and the work has stopped."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say("work", agent="sleeper")
    run = whole(await device.run(said.run_id))
    assert (run.ending.type, run.ending["data"]["reason"]) == ("agent_cancelled", "timeout")
    assert 80 <= run.ending["data"]["duration_ms"] < 450
    assert (await alice.get(f"/v1/runs/{said.run_id}"))["state"] == "cancelled"
    whole(await device.tell({"pause": 0.3}, "researcher"))
    assert not any("overslept" in line for line in world.server.done()), "the work went on after its time"


async def test_trace_id_on_every_event(world: World) -> None:
    """One trace id per run, on every event, another for every run, and the server's log knows it."""
    device = await world.device(await world.user())
    runs = [whole(await device.tell("trace", agent)) for agent in ("coordinator", "raiser", "sleeper")]
    traces = {e["trace_id"] for run in runs for e in run}
    assert len(traces) == 3
    assert runs[1][0]["trace_id"] in world.server.logged()


async def test_three_runs_of_one_agent_at_once_stay_whole(world: World) -> None:
    """Three runs of one agent in three threads of one user: each is whole and holds its own words only."""
    device = await world.device(await world.user())
    words = ["first word", "second word", "third word"]
    orders = [{"steps": 10, "pause": 0.01, "canary": word} for word in words]
    said = await asyncio.gather(*(device.say(order, agent="stepper") for order in orders))
    runs = [whole(await device.run(message.run_id)) for message in said]
    for place, run in enumerate(runs):
        assert run.ending["data"]["text"].count(words[place]) == 10
        assert not any(word in run.ending["data"]["text"] for word in words if word != words[place])
    spans = [(run[1]["seq"], run[-1]["seq"]) for run in runs]
    assert max(a for a, _ in spans) < min(b for _, b in spans), "they really ran at the same time"


async def test_agent_emits_through_the_turn_it_was_given(world: World) -> None:
    """What an invocation says carries its own id: a child's events the child's, two runs' events each their own."""
    device = await world.device(await world.user())
    said = [await device.say({"topic": topic}, agent="coordinator") for topic in ("oboes", "cellos")]
    runs = [whole(await device.run(message.run_id)) for message in said]
    ids = [{e["agent"]["id"] for e in run[1:]} for run in runs]
    assert [len(i) for i in ids] == [4, 4] and not ids[0] & ids[1], "an agent is made per run"
    for run, topic in zip(runs, ("oboes", "cellos"), strict=True):
        assert agents(run, "scout")[-1]["data"]["text"] == f"Scouted {topic}"
        assert all(call["agent"] == done["agent"] for call, done in run.calls)


async def test_failing_notifications_do_not_fail_the_run(world: World) -> None:
    """Every socket of the user is torn down again and again while the agent works: the run does not notice."""
    alice = await world.user()
    first = await world.device(alice)
    said = await first.say({"steps": 25, "pause": 0.01}, agent="stepper")
    await first.cut()
    for place in range(8):
        device = await world.device(alice, name=f"torn {place}")
        await device.cut()
    last = await world.device(alice, name="last")
    run = whole(await last.run(said.run_id))
    assert run.ending.type == "agent_completed"
    assert len(run.calls) == 25


async def test_nothing_follows_the_ending(world: World) -> None:
    """An agent that keeps speaking after its end adds nothing to the log."""
    await check_nothing_after_the_end(world)


async def test_a_plain_function_is_an_agent(world: World) -> None:
    """An agent that is no coroutine runs in a thread, with the same events."""
    device = await world.device(await world.user())
    run = whole(await device.tell("shout", "sync_agent"))
    assert run.ending["data"]["text"] == "SHOUT"
    assert [(a["data"]["tool"], b["data"]["status"]) for a, b in run.calls] == [("plain", "ok")]


async def test_a_returned_string_is_the_text(world: World) -> None:
    """Returned and not said: one piece, and it is the answer; any other value is the result."""
    device = await world.device(await world.user())
    run = whole(await device.tell("say", "returner"))
    assert run.ending["data"]["text"] == "Returned, not said."
    assert len(run.of_type("text_delta")) == 1
    other = whole(await device.tell({"value": {"n": 1}}, "returner"))
    assert other.ending["data"]["result"] == {"n": 1}
    assert "text" not in other.ending["data"]


async def test_offsets_are_code_points(world: World) -> None:
    """The pieces join by offset, also beyond ASCII and beyond 16 bits."""
    device = await world.device(await world.user())
    run = whole(await device.tell({"pieces": 5}, "streamer"))
    assert run.ending["data"]["text"] == "".join(f"pièce {n} 🎻 " for n in range(5))


async def test_runs_of_a_thread_wait_for_each_other(world: World) -> None:
    """Messages of one thread are answered one after another, and each knows what was said before it."""
    device = await world.device(await world.user())
    first = await device.say({"pause": 0.2}, agent="researcher")
    second = await device.say("what was said?", agent="rememberer", thread_id=first.thread_id)
    runs = [whole(await device.run(message.run_id)) for message in (first, second)]
    assert runs[0][-1]["seq"] < runs[1][1]["seq"], "the second starts when the first has ended"
    assert "4 sources" in runs[1].ending["data"]["text"], "the agent sees the earlier answer"
    assert "what was said?" not in runs[1].ending["data"]["text"]


async def test_large_and_impossible_values_end_clearly(world: World) -> None:
    """What cannot be encoded, ten megabytes, half a character: one clear ending each, and a log that everybody can read."""
    alice = await world.user()
    device = await world.device(alice)
    codes = {}
    for agent in ("returns_unencodable", "ten_megabytes", "lone_surrogate", "flooder"):
        run = whole(await device.tell("go", agent, within=60))
        codes[agent] = run.ending["data"].get("error", {}).get("code", run.ending.type)
        run.schema()
    assert codes["returns_unencodable"] == "agent_error"
    assert codes["flooder"] == codes["ten_megabytes"] == "output_limit"
    cut = next(b for _, b in device.story.calls if len(b.raw) > 30_000 or b["data"].get("truncated"))
    assert cut["data"]["truncated"] is True
    later = await world.device(alice, name="later")
    assert [e.raw for e in later.events] == [e.raw for e in device.events]
    whole(await later.tell("still well", "echo"))


async def test_a_long_answer_is_whole_in_its_thread(world: World) -> None:
    """An answer over 32 KiB ends truncated and without text; the thread has all of it."""
    alice = await world.user()
    device = await world.device(alice)
    run = whole(await device.tell({"pieces": 40, "size": 1000}, "flooder"))
    assert run.ending["data"]["truncated"] is True
    assert "text" not in run.ending["data"]
    messages = await alice.messages(run[0]["thread_id"])
    assert messages[-1]["text"] == "x" * 40_000

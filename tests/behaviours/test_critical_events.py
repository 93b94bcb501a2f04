"""The story of a run as its user sees it: real account, real process, real socket, and a client that shares nothing with the server."""

import json

import pytest

from quintet.testing.contracts import FIVE, whole
from support.effects import effects
from support.runs import delays_of, instant
from support.server import Server
from support.world import World

pytestmark = pytest.mark.l3


async def test_all_five_critical_events_sent_during_agent_execution(world: World) -> None:
    """One message, one agent: three thoughts, three real tool calls, one start, one completion, and the result arrives."""
    alice = await world.user()
    device = await world.device(alice)
    run = whole(await device.tell({"mark": "five", "text": "And that was it."}, "researcher"))
    assert [len(run.of_type(kind)) for kind in ("agent_started", "agent_completed")] == [1, 1]
    assert len(run.of_type("agent_thinking")) == 3
    assert {e.type for e in run} == {"message_accepted", "text_delta", *FIVE}
    calls = run.calls
    assert [(a["data"]["tool"], b["data"]["status"]) for a, b in calls].count(("lookup", "ok")) == 2
    assert len(calls) == 3 == len(run.of_type("tool_completed"))
    assert effects(world.server, "five") == ["lookup", "lookup"], "a tool event is a tool that really ran"
    assert calls[0][1]["data"]["result"] == ["found the question", "found more of the question"]
    parallel = [e for e in run if e.type.startswith("tool_")][2:]
    assert [e.type for e in parallel] == ["tool_executing"] * 2 + ["tool_completed"] * 2, "two calls ran at once"
    assert run.ending["data"]["text"] == "4 sources. And that was it."
    assert run.ending["data"]["result"]["weights"]
    messages = await alice.messages(run[0]["thread_id"])
    assert [(m["role"], m["text"]) for m in messages][-1] == ("agent", run.ending["data"]["text"])


async def test_event_ordering_and_timing_validation(world: World) -> None:
    """Order is seq and run_seq without a hole; the story is told live, within 100 ms of the moment in which the agent spoke."""
    device = await world.device(await world.user())
    said = await device.say({"pause": 0.3, "stamp": True}, agent="researcher")
    run = whole(await device.run(said.run_id))
    kinds = [e.type for e in run]
    thoughts = [i for i, kind in enumerate(kinds) if kind == "agent_thinking"]
    assert kinds.index("agent_started") < min(thoughts) < max(thoughts) < kinds.index("agent_completed")
    assert run[-1].at - run[2].at > 0.5, "the first thought arrives long before the run ends"
    assert [e.at for e in run] == sorted(e.at for e in run)
    delays = delays_of(run)
    for _ in range(2):
        delays += delays_of(whole(await device.tell({"steps": 20, "pause": 0.01, "stamp": True}, "stepper")))
    assert len(delays) == 43
    late = sorted(delays)[int(len(delays) * 0.95)]
    assert late < 0.1, device.shown(f"95 % of the events arrive within {late * 1000:.0f} ms, not 100")
    assert min(delays) > -0.01, "an event arrives after it was emitted"


async def test_event_payload_accuracy_and_completeness(world: World, server_secret: str) -> None:
    """Every event keeps the published schema; what is confidential is in no frame and no log line; words about tokens stay."""
    alice = await world.user()
    device = await world.device(alice)
    since = world.server.log.stat().st_size
    run = whole(await device.tell("Use your secrets", "secretive"))
    for agent in (
        "researcher",
        "coordinator",
        "catcher",
        "raiser",
        "sleeper",
        "streamer",
        "sync_agent",
        "returner",
        "bad_args",
    ):
        whole(await device.tell({"text": "all kinds"}, agent))
    device.story.schema()
    arguments = [e["data"]["arguments"] for e in device.story.of_type("tool_executing")]
    assert arguments and all(isinstance(told, (dict, str)) for told in arguments), "an object, or its preview"
    assert {"agent_failed", "agent_cancelled", *FIVE} <= {e.type for e in device.events}
    canary = server_secret.encode()
    assert canary not in device.received(), device.shown("a confidential value is in a frame")
    assert {line.split(" ", 1)[1] for line in world.server.done()} >= {"got whole", "told whole"}, (
        "the agent gets the real values"
    )
    call, done = next((a, b) for a, b in run.calls if a["data"]["tool"] == "call_out")
    assert call["data"]["arguments"] == {
        "url": "https://example.com",
        "api_key": "[redacted]",
        "headers": {"Authorization": "[redacted]", "Accept": "text/plain"},
        "max_tokens": 512,
    }
    told = done["data"]["result"]
    assert told["set_cookie"] == told["session"]["accessToken"] == "[redacted]"
    assert (told["session"]["input_tokens"], told["max_tokens"]) == (12, 512)
    assert told["about"] == "A token is a piece of a word. max_tokens limits them."
    assert run.ending["data"]["text"] == "About a token: input_tokens and output_tokens are counts, max_tokens a limit."
    nested = [e for e in run.of_type("agent_started") if e["agent"]["name"] == "confidant"]
    assert nested[0]["data"]["input"] == {"database": {"db_password": "[redacted]"}, "topic": "tokens"}
    history = json.dumps((await alice.snapshot(), await alice.messages(run[0]["thread_id"])))
    assert server_secret not in history
    for part in ("argument", "header", "cookie", "nested", "input", "returned"):
        assert f"{server_secret}-{part}" not in world.server.logged(since), f"the {part} secret is in the log"


async def test_timestamps_inside_the_run(world: World) -> None:
    """The times of a run's events lie between the send and the arrival, and do not fall in a run of one agent."""
    device = await world.device(await world.user())
    run = whole(await device.tell({"pause": 0.05}, "researcher"))
    sent = next(f.wall for f in device.transcript if f.sent and b'"do":"send"' in f.raw)
    for event in run:
        assert sent - 0.05 <= instant(event) <= event.wall + 0.05, device.shown(
            f"the time of {event['seq']} is outside the run"
        )
    assert [instant(e) for e in run] == sorted(instant(e) for e in run)


async def test_all_five_required_websocket_events_emitted(world: World) -> None:
    """The shipped triage team explains a broken run: its real workflow, its real tools, no model, all five kinds of event."""
    device = await world.device(await world.user())
    run = whole(await device.tell(BROKEN, "triage", within=60))
    run.schema()
    assert set(FIVE) <= {e.type for e in run}
    assert run.ending.type == "agent_completed", device.shown("triage did not complete")
    team = {e["agent"]["name"] for e in run.of_type("agent_started")}
    assert len(team) == 5, f"a supervisor and four specialists, not {team}"
    root = run[1]["agent"]["id"]
    children = [e for e in run.of_type("agent_started") if "parent_id" in e["agent"]]
    assert {e["agent"]["parent_id"] for e in children} == {root}
    assert all(done["data"]["status"] == "ok" for _, done in run.calls)
    assert "SECRET_KEY" in run.ending["data"]["text"], "the report names what is missing"


BROKEN = """\
============================= test session starts ==============================
platform linux -- Python 3.11.9, pytest-8.4.1, pluggy-1.6.0
rootdir: /srv/app
configfile: pytest.ini
collected 2 items / 1 error

==================================== ERRORS ====================================
___________________ ERROR collecting tests/test_settings.py ____________________
tests/test_settings.py:3: in <module>
    from app.settings import settings
app/settings.py:11: in <module>
    SECRET = os.environ["SECRET_KEY"]
<frozen os>:679: in __getitem__
    ???
E   KeyError: 'SECRET_KEY'
=================================== FAILURES ===================================
________________________________ test_connects _________________________________

    async def test_connects():
>       async with connect("ws://127.0.0.1:8001/ws") as ws:
E       OSError: Multiple exceptions: [Errno 111] Connect call failed ('127.0.0.1', 8001)

tests/test_socket.py:9: OSError
=========================== short test summary info ============================
ERROR tests/test_settings.py - KeyError: 'SECRET_KEY'
FAILED tests/test_socket.py::test_connects - OSError: Multiple exceptions: [Errno 111] Connect call failed
========================= 1 failed, 1 passed, 1 error in 0.42s =================
"""


def test_the_shared_server_says_what_it_depends_on(server: Server) -> None:
    """/readyz tells each dependency."""
    assert server.ready()

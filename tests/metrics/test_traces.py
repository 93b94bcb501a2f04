"""Spans: a run is one trace, under the id that its events and its log lines have; off where no collector is named."""

import time
from pathlib import Path

import pytest

from metrics.collector import Collector, Seen
from quintet.testing.contracts import whole
from support.server import Factory
from support.world import World

pytestmark = pytest.mark.l3


def _named(spans: list[Seen], name: str) -> Seen:
    found = [span for span in spans if span.name == name]
    assert len(found) == 1, f"{name}: {[span.name for span in spans]}"
    return found[0]


async def test_a_run_is_one_trace(server_factory: Factory) -> None:
    """Submit, commits, the agents inside one another, their tools, the run and the delivery meet under the events' own trace_id."""
    with Collector() as collector:
        server = server_factory(environment={"QUINTET_TRACES_URL": collector.url})
        async with World(server) as world:
            alice = await world.user()
            device = await world.device(alice)
            story = whole(await device.tell("CANARYWORDS to look up", "coordinator"))
            broken = whole(await device.tell("fail", "raiser"))
        run_id, trace_id = story[-1].run, story[-1].trace
        wanted = [event for event in story if event.type in ("agent_completed", "tool_completed")]
        spans = collector.until(len(wanted) + 4, **{"run.id": run_id})
        failed = collector.until(5, **{"run.id": broken[-1].run})
        requests = collector.until(1, **{"http.route": "/v1/auth/register"})
        server.stop()
        log = server.logged()
    assert {span.trace for span in spans} == {trace_id}
    run = _named(spans, "run")
    assert (run.parent, run.failed) == ("", "")
    assert {
        _named(spans, "submit").parent,
        *(span.parent for span in spans if span.name in ("commit", "delivery")),
    } == {run.id}
    agents = {event["agent"]["id"]: event["agent"] for event in story if event.type == "agent_completed"}
    assert len(agents) == 4
    by_name = {span.name: span for span in spans if span.name.startswith("agent ")}
    for one in agents.values():
        above = by_name[f"agent {agents[one['parent_id']]['name']}"] if "parent_id" in one else run
        assert by_name[f"agent {one['name']}"].parent == above.id
    assert sum(span.name.startswith("tool ") for span in spans) == sum(
        event.type == "tool_completed" for event in story
    )
    assert all(run.start <= span.start <= span.end for span in spans)
    assert any(span.name == "delivery" for span in spans)
    assert _named(failed, "run").failed == "agent_error"
    assert {span.name for span in requests} == {"POST /v1/auth/register"}
    assert collector.services == {"quintet"}
    assert f"trace_id={trace_id}" in log
    everything = b"".join(collector.bodies)
    for secret in (b"CANARYWORDS", alice.email.encode(), alice.id.encode(), alice.session_id.encode()):
        assert secret not in everything


async def test_a_collector_that_fails_costs_spans_only(server_factory: Factory) -> None:
    """Refused by the collector, or with nobody there: runs go on, and the server stops within its time."""
    with Collector(status=503) as collector:
        server = server_factory(environment={"QUINTET_TRACES_URL": collector.url})
        async with World(server) as world:
            device = await world.device(await world.user())
            assert whole(await device.tell("hello", "echo"))[-1].type == "agent_completed"
        collector.until(1)
        began = time.monotonic()
        server.stop()
    assert time.monotonic() - began < 20


def test_a_trace_without_the_extra_is_refused_at_the_start(server_factory: Factory, tmp_path: Path) -> None:
    """The setting without its packages: one line with the fix, exit code 78."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry.exporter'] = None\n")
    server = server_factory(
        start=False, environment={"QUINTET_TRACES_URL": "http://localhost:9/v1/traces", "PYTHONPATH": str(tmp_path)}
    )
    with pytest.raises(Exception, match=r"pip install 'quintet\[otel\]'"):
        server.start()

"""The figures of a server: true, without anybody's name in them, and each server's own."""

import asyncio
import os
import re
import signal
import sqlite3
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from quintet.server import Server as InProcess
from quintet.settings import Options, load
from quintet.testing.accounts.account import http_client
from quintet.testing.contracts import whole
from support.checks.fence import check_given_up_agent_is_fenced
from support.server import Factory, Server
from support.world import World

pytestmark = pytest.mark.l3

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def figures(url: str) -> Figures:
    """Every sample by its name and labels."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        told = await http.get("/metrics")
    assert told.status_code == 200 and told.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(told.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def at(found: Figures, name: str, **labels: str) -> float:
    """One sample; 0 where there is none."""
    return found.get((f"quintet_{name}", frozenset(labels.items())), 0)


async def test_the_figures_tell_the_truth(server: Server, world: World) -> None:
    """Sockets, streams, deliveries, commits, runs, refusals, resyncs, requests: what was done is what is counted."""
    before = await figures(server.url)
    alice = await world.user()
    device = await world.device(alice)
    stream = await world.stream(alice, "?after=0")
    await stream.first()
    runs = [whole(await device.tell("hello", "echo")) for _ in range(3)]
    await stream.block("agent_completed", 3)
    whole(await device.tell("fail", "raiser"))
    assert (await device.follow("garbage"))["type"] == "resync"
    assert (await device.request("cancel", run_id="run_never"))["code"] == "not_found"
    assert (await alice.http.get("/v1/threads/never")).status_code == 404
    after = await figures(server.url)

    def grown(name: str, **labels: str) -> float:
        return at(after, name, **labels) - at(before, name, **labels)

    assert (grown("sockets"), grown("streams"), grown("connected_users")) == (1, 1, 1)
    assert grown("events_delivered_total") >= 2 * sum(map(len, runs))
    assert (grown("runs_ended_total", state="completed"), grown("runs_ended_total", state="failed")) == (3, 1)
    assert grown("resyncs_total", reason="malformed") == 1
    assert grown("frame_refusals_total", code="not_found") == 1
    assert grown("http_refusals_total", code="not_found") == 1
    assert grown("http_requests_total", method="GET", route="/v1/threads/{thread_id}", status="404") == 1
    assert grown("http_requests_total", method="POST", route="/v1/auth/register", status="201") == 1
    assert grown("commit_seconds_count") >= 4 and grown("commit_seconds_sum") > 0
    assert grown("commit_seconds_bucket", le="+Inf") == grown("commit_seconds_count")
    for name in ("loop_lag_seconds", "loop_lag_worst_seconds", "runs_held"):
        assert (f"quintet_{name}", frozenset()) in after
    for queue in ("committer", "readers"):
        assert ("quintet_store_queue", frozenset({("queue", queue)})) in after
    assert at(after, "runs_open", state="running") >= 0
    await stream.cut()


async def test_no_label_is_anybodys(server: Server, world: World) -> None:
    """After ids, addresses and made-up paths and methods have been sent in, no label holds any of them."""
    alice = await world.user()
    device = await world.device(alice)
    said = await device.say("hello", agent="echo")
    whole(await device.run(said.run_id))
    marks = [alice.id, alice.email, alice.session_id, said.run_id, said.thread_id, "canarypath", "CANARYVERB"]
    await alice.get(f"/v1/runs/{said.run_id}")
    async with http_client(server, alice.access_token) as http:
        for path in ("/v1/canarypath", "/canarypath", f"/v1/threads/{said.thread_id}/canarypath"):
            await http.get(path)
        await http.request("CANARYVERB", "/v1/threads")
        text = (await http.get("/metrics")).text
    assert not [mark for mark in marks if mark in text]
    assert "127.0.0.1" not in text and not re.search(r'"(usr|run|thr|ses|msg|att)_', text)
    assert at(await figures(server.url), "http_requests_total", method="GET", route="unmatched", status="404") >= 2


async def test_it_answers_any_host_without_a_token_and_fast(server: Server) -> None:
    """Monitoring asks by address and has no account."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, headers={"Host": "10.0.0.7:9"}) as http:
        began = time.monotonic()
        assert (await http.get("/metrics")).status_code == 200
        assert time.monotonic() - began < 1
        assert (
            "application/openmetrics-text"
            in (
                (await http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})).headers[
                    "content-type"
                ]
            )
        )


async def test_two_servers_in_one_process_do_not_add_up(tmp_path: Path) -> None:
    """Each has a registry of its own."""
    servers = [
        InProcess(load({}, None, Options(dev=True, port=0, data=tmp_path / name), lambda _: "a1B2c3D4e5" * 3 + "xyzw!"))
        for name in ("one", "two")
    ]
    for one, name in zip(servers, ("one", "two"), strict=True):
        (tmp_path / name).mkdir()
        await one.start()
    try:
        async with httpx.AsyncClient(base_url=servers[0].url, trust_env=False) as http:
            for _ in range(3):
                await http.get("/v1/threads")
        found = [await figures(one.url) for one in servers]
        counts = [at(f, "http_requests_total", method="GET", route="/v1/threads", status="401") for f in found]
        assert counts == [3, 0]
    finally:
        for one in servers:
            await one.stop()


async def _until(url: str, name: str, least: float, **labels: str) -> float:
    """The figure, once it is as much as that."""
    end = time.monotonic() + 20
    while (value := at(await figures(url), name, **labels)) < least:
        assert time.monotonic() < end, f"{name} {labels} stays {value}"
    return value


async def test_open_runs_are_told_by_state(server_factory: Factory) -> None:
    """What runs and what waits for a place, while it does; nothing when all have ended."""
    server = server_factory(environment={"QUINTET_RUNS_PER_USER": "1"})
    async with World(server) as world:
        device = await world.device(await world.user())
        said = [await device.say("wait", agent="slow_tool") for _ in range(3)]
        await _until(server.url, "runs_open", 1, state="running")
        await _until(server.url, "runs_open", 2, state="queued")
        await _until(server.url, "runs_held", 1)
        for one in said:
            await device.cancel(one.run_id)
        for one in said:
            await device.run(one.run_id)
        found = await figures(server.url)
        assert [at(found, "runs_open", state=state) for state in ("running", "queued")] == [0, 0]
        assert at(found, "runs_ended_total", state="cancelled") == 3


async def test_a_connection_that_reads_nothing_is_seen_to_lag(server_factory: Factory) -> None:
    """The slowest connection's distance from the head of its log; nothing when it has gone."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        device = await world.device(alice)
        deaf = await world.raw(alice, receive_buffer=4096)
        await deaf.say({"do": "follow", "id": "f1", "after": "0"})
        for _ in range(2):
            whole(await device.tell({"pieces": 3000, "pause": 0}, "streamer"))
        assert await _until(server.url, "delivery_lag_events", 1) >= 1


async def test_a_loop_that_stood_still_is_seen(server_factory: Factory) -> None:
    """The process is stopped for a moment: the worst lag of its minute tells it, and the last one is small again."""
    server = server_factory()
    await _until(server.url, "loop_lag_seconds", 1e-9)  # once it has looked it can be late
    os.kill(server.pid, signal.SIGSTOP)
    await asyncio.sleep(1.5)  # it is this time that is measured
    os.kill(server.pid, signal.SIGCONT)
    assert 0.5 < await _until(server.url, "loop_lag_worst_seconds", 0.5) < 60


@pytest.mark.skipif(os.environ.get("QUINTET_TEST_DATABASE", "") == "postgres", reason="holds the lock of a SQLite file")
async def test_writes_that_wait_are_seen(server_factory: Factory) -> None:
    """Somebody else holds the database's lock: what waits for it stands in the figures, and is gone when the lock is."""
    server = server_factory()
    async with World(server) as world:
        alice = await world.user()
        [file] = server.data.glob("*.db")
        other = sqlite3.connect(file, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            created = [asyncio.create_task(alice.http.post("/v1/threads", json={"title": "waits"})) for _ in range(3)]
            await _until(server.url, "store_queue", 1, queue="committer")
            other.execute("ROLLBACK")
            await asyncio.gather(*created)
        finally:
            other.close()
        assert at(await figures(server.url), "store_queue", queue="committer") == 0


async def test_an_agent_that_was_given_up_is_counted_when_it_comes_back(server_factory: Factory) -> None:
    """A fence that held is seen: what the engine refused of a run that is no longer its agent's."""
    server = server_factory()
    await check_given_up_agent_is_fenced(server)
    found = await figures(server.url)
    told = {
        what: at(found, "engine_total", what=what) for what in ("fenced", "refused", "held", "abandoned", "dropped")
    }
    assert told["fenced"] + told["refused"] >= 1, told


async def test_every_figure_is_explained(server: Server) -> None:
    """What `/metrics` tells stands in docs/metrics.md, and the other way round."""
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    explained = {name.removesuffix("_total") for name in re.findall(r"`(quintet_[a-z_]+)(?:\{[a-z,]+\})?`", page)}
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        told = re.findall(
            r"^# TYPE (quintet_[a-z_]+) (?!gauge_created)", (await http.get("/metrics")).text, re.MULTILINE
        )
    assert {name.removesuffix("_total") for name in told if not name.endswith("_created")} == explained

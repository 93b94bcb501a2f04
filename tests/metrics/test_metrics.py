"""The figures of a server: true, without anybody's name in them, and each server's own."""

import re
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from quintet.server import Server as InProcess
from quintet.settings import Options, load
from quintet.testing.accounts.account import http_client
from quintet.testing.contracts import whole
from support.server import Server
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

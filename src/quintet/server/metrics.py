"""`GET /metrics`: figures for Prometheus, read from what the parts count anyway when somebody asks.

1. A registry of its own for each server: two in one process do not add up.
2. No label is an id, an address or a path: only words of ours and route templates, so their number is bounded.
3. The database is asked for one figure, with patience for a moment; without it the others are told all the same.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from quintet.accounts.letters import Courier
from quintet.delivery import Gateway
from quintet.edge.figures import HTTPFigures
from quintet.engine import Worker
from quintet.engine.counters import Counters
from quintet.runs import Ended
from quintet.server.lag import LoopLag
from quintet.server.vitals import open_runs
from quintet.store import Histogram, Store

__all__ = ["Metrics", "metrics_router"]

_PATIENCE = 1.0


class Metrics(Collector):
    """The figures of one server."""

    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        workers: Sequence[Worker],
        http: HTTPFigures,
        lag: LoopLag,
        courier: Courier | None = None,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._workers = workers
        self._http = http
        self._lag = lag
        self._courier = courier
        self._ended: Counter[str] = Counter()
        self._open: dict[str, int] = {}
        store.on_commit(self._committed)
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def _committed(self, facts: Sequence[Any]) -> None:
        """In the committing thread, the only one that writes these counts."""
        for fact in facts:
            if isinstance(fact, Ended):
                self._ended[fact.state] += 1

    async def look(self) -> None:
        """Read what only the database knows."""
        try:
            async with asyncio.timeout(_PATIENCE):
                self._open = await open_runs(self._store)
        except Exception:
            self._open = {}

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        yield from self._connections()
        yield from self._commits()
        yield from self._runs()
        yield from self._requests()
        yield from self._letters()
        yield _gauge("loop_lag_seconds", "How late the sockets' event loop was at its last look.", self._lag.last)
        yield _gauge("loop_lag_worst_seconds", "The worst of these within the last minute.", self._lag.worst)

    def _connections(self) -> Iterator[Metric]:
        counted = self._gateway.snapshot()
        yield _gauge("sockets", "Open sockets.", counted["sockets"])
        yield _gauge("streams", "Open streams of server-sent events.", counted["streams"])
        yield _gauge("connected_users", "Users with an open socket or stream.", counted["users"])
        yield _gauge(
            "unauthenticated_sockets", "Sockets that have not said whose they are.", counted["unauthenticated"]
        )
        yield _gauge("delivery_lag_events", "Committed events that the slowest connection lacks.", counted["behind"])
        yield _counter("events_delivered", "Events handed to sockets and streams.", counted["events"])
        for prefix, name, help_text in (
            ("closed_", "connections_closed", "Sockets and streams closed by us."),
            ("resync_", "resyncs", "Cursors that could not be gone on from."),
            ("refused_", "frame_refusals", "Frames answered by an error."),
        ):
            label = "code" if prefix == "refused_" else "reason"
            found = {key.removeprefix(prefix): n for key, n in counted.items() if key.startswith(prefix)}
            yield _counters(name, help_text, label, found)

    def _commits(self) -> Iterator[Metric]:
        figures = self._store.figures()
        yield _histogram("commit_seconds", "How long commits took.", figures.commits)
        waiting = {"committer": figures.waiting_writes, "readers": figures.waiting_reads}
        yield _gauge("storage_scarce", "1 while the disk has no room for anything new.", figures.scarce)
        yield _gauges("store_queue", "What waits for the store.", "queue", waiting)

    def _runs(self) -> Iterator[Metric]:
        if self._open:
            yield _gauges("runs_open", "Runs that have not ended.", "state", self._open)
        yield _counters("runs_ended", "Runs that have ended.", "state", dict(self._ended))
        yield _gauge("runs_held", "Runs that this process holds.", sum(worker.running for worker in self._workers))
        names = [field.name for field in fields(Counters) if not field.name.startswith("_")]
        told = {name: sum(getattr(worker.counters, name) for worker in self._workers) for name in names}
        yield _counters("engine", "What went another way than usual in the engine.", "what", told)

    def _letters(self) -> Iterator[Metric]:
        if self._courier is not None:
            yield _counters("letters", "What became of letters.", "what", self._courier.told)
            yield _gauge("letters_waiting", "Letters that the mail server has not taken yet.", self._courier.waiting)

    def _requests(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "quintet_http_requests", "HTTP requests that were answered.", labels=["method", "route", "status"]
        )
        for (method, route, status), count in tuple(self._http.requests.items()):
            family.add_metric([method, route, str(status)], count)
        yield family
        yield _counters("http_refusals", "HTTP requests answered by a refusal.", "code", dict(self._http.refusals))
        yield _histogram("http_seconds", "How long requests took, streams included.", self._http.seconds)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"quintet_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"quintet_{name}", text, value=value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"quintet_{name}", text, labels=[label])
    _fill(family, values.items())
    return family


def _counters(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"quintet_{name}", text, labels=[label])
    _fill(family, values.items())
    return family


def _fill(family: GaugeMetricFamily | CounterMetricFamily, values: Iterable[tuple[str, float]]) -> None:
    for word, value in values:
        family.add_metric([word], value)


def _histogram(name: str, text: str, measured: Histogram) -> Metric:
    buckets: list[tuple[str, float]] = []
    below = 0
    for bound, count in zip((*map(str, measured.bounds), "+Inf"), tuple(measured.counts), strict=True):
        below += count
        buckets.append((bound, below))
    return HistogramMetricFamily(f"quintet_{name}", text, buckets=buckets, sum_value=measured.total)


Guard = Callable[[Request], Awaitable[object]]
"""Lets a request pass, or raises QuintetError."""


def metrics_router(metrics: Metrics, guard: Guard | None = None) -> APIRouter:
    """`/metrics`, in the format that the asker prefers; for whom `guard` lets pass, if there is one."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(guard)] if guard else [])

    @router.get("/metrics")
    async def told(request: Request) -> Response:
        await metrics.look()
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics.registry), headers={"Content-Type": media_type, "Cache-Control": "no-store"})

    return router

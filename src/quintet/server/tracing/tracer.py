"""Takes what happens from whoever is busy and makes spans of it in a thread of its own.

1. Committing, serving and delivering only put a note into a queue. It is bounded: beyond it notes are counted and dropped.
2. A collector that is slow or gone costs spans, never a run; at the end it is waited for a few seconds.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from starlette.types import Scope

from quintet.edge.figures import HTTPFigures, template_of
from quintet.log.numbers import Appended
from quintet.server.tracing.spans import Span, Spans, request
from quintet.settings import StartError

__all__ = ["NOTES", "Tracer", "opened"]

logger = logging.getLogger(__name__)

NOTES = 20_000
_LAST_WORDS = 8.0  # seconds
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

Note = Callable[[], Iterable[Span]]


class Tracer:
    """One for a server. `take` gets each span; `end` sends what is left."""

    def __init__(self, take: Callable[[Span], None], end: Callable[[], None] = lambda: None) -> None:
        self.dropped = 0
        self._take, self._end = take, end
        self._spans = Spans()
        self._notes: SimpleQueue[Note | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="tracing", daemon=True)
        self._thread.start()

    def committed(self, facts: Sequence[Any]) -> None:
        """In the committing thread, for every commit."""
        at = time.time_ns()
        for fact in facts:
            if isinstance(fact, Appended):
                self._note(partial(self._spans.appended, fact, at))

    def delivered(self, user_id: str, seq: int) -> None:
        """A connection of this user was handed everything up to `seq`."""
        self._note(partial(self._spans.delivered, user_id, seq, time.time_ns()))

    def answered(self, figures: HTTPFigures) -> None:
        """Tell of every request that these figures count."""

        def told(scope: Scope, status: int, seconds: float) -> None:
            route = template_of(scope)
            if route not in _PROBES:
                end = time.time_ns()
                start = end - round(seconds * 1e9)
                method, own = str(scope["method"]), str(scope["state"]["request_id"])
                self._note(lambda: [request(own, method, route, status, start, end)])

        figures.told = told

    async def close(self) -> None:
        """Make spans of what was noted, and send them. Waits a few seconds at most."""
        self._notes.put(None)
        await asyncio.to_thread(self._thread.join, _LAST_WORDS)
        if self.dropped:
            logger.warning("%d notes for spans were dropped: more came than could be told", self.dropped)

    def _note(self, note: Note) -> None:
        if self._notes.qsize() < NOTES:
            self._notes.put(note)
        else:
            self.dropped += 1

    def _work(self) -> None:
        while True:
            try:
                note = self._notes.get(timeout=60)
            except Empty:
                continue
            if note is None:
                break
            try:
                for span in note():
                    self._take(span)
            except Exception:
                logger.exception("a span could not be made")
        self._end()


def opened(url: str | None, version: str) -> Tracer | None:
    """The tracer of a server, if it has a collector.

    Raises:
        StartError: the extra `otel` is not installed.
    """
    if url is None:
        return None
    try:
        from quintet.server.tracing.exporting import exporter
    except ModuleNotFoundError as missing:
        raise StartError(
            f"QUINTET_TRACES_URL is set, but a package it needs is not installed ({missing.name})",
            "Run: pip install 'quintet[otel]'",
            exit_code=78,
        ) from missing
    return Tracer(*exporter(url, version))

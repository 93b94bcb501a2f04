"""A collector for OpenTelemetry's spans: real OTLP over HTTP on loopback, protobuf inside."""

import gzip
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["Collector", "Seen"]

PATIENCE = 20.0


@dataclass
class Seen:
    """A span as it arrived: ids in hexadecimal, times in nanoseconds."""

    name: str
    trace: str
    id: str
    parent: str
    start: int
    end: int
    about: dict[str, Any]
    failed: str


@dataclass
class Collector:
    """Entered, it listens. `status` is what it answers."""

    status: int = 200
    spans: list[Seen] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """For `QUINTET_TRACES_URL`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"

    def until(self, wanted: int, **about: Any) -> list[Seen]:
        """The spans with these attributes, once there are so many."""
        end = time.monotonic() + PATIENCE
        while True:
            found = [one for one in tuple(self.spans) if about.items() <= one.about.items()]
            if len(found) >= wanted:
                return found
            assert time.monotonic() < end, f"{len(found)} spans of {wanted}: {[one.name for one in self.spans]}"
            self._news.wait(0.1)
            self._news.clear()

    def __enter__(self) -> Self:
        self._news = threading.Event()
        collector = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector._take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)

    def _take(self, body: bytes) -> None:
        self.bodies.append(body)
        told = ExportTraceServiceRequest.FromString(body)
        for resource in told.resource_spans:
            names = [one.value.string_value for one in resource.resource.attributes if one.key == "service.name"]
            self.services.update(names)
            for scope in resource.scope_spans:
                self.spans.extend(map(_seen, scope.spans))
        self._news.set()


def _seen(span: Any) -> Seen:
    about = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
    failed = span.status.message if span.status.code == 2 else ""
    times = (span.start_time_unix_nano, span.end_time_unix_nano)
    return Seen(span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), *times, about, failed)

"""Spans out of the house, by OpenTelemetry's own SDK over OTLP/HTTP. Needs the extra `otel`.

The SDK makes ids at random; ours are made of the run's, so its generator is told the next one. One thread uses it.
"""

from collections.abc import Callable

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, set_span_in_context

from quintet.server.tracing.spans import Span

__all__ = ["exporter"]

_QUEUE = 8_192  # spans; the SDK drops what is more
_TIMEOUT = 5.0  # seconds for one request to the collector


class _Given(IdGenerator):
    """Gives the ids that it was told."""

    trace, span = 0, 0

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


def exporter(url: str, version: str) -> tuple[Callable[[Span], None], Callable[[], None]]:
    """Two functions: one takes a span, one sends what is left and ends. The collector's headers are OTEL_EXPORTER_OTLP_HEADERS."""
    ids = _Given()
    resource = Resource.create({"service.name": "quintet", "service.version": version})
    provider = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    sender = OTLPSpanExporter(endpoint=url, timeout=_TIMEOUT)
    provider.add_span_processor(BatchSpanProcessor(sender, max_queue_size=_QUEUE, schedule_delay_millis=1_000))
    tracer = provider.get_tracer("quintet", version)

    def take(span: Span) -> None:
        ids.trace, ids.span = int(span.trace, 16), span.id
        context = None
        if span.parent is not None:
            above = SpanContext(ids.trace, span.parent, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
            context = set_span_in_context(NonRecordingSpan(above))
        made = tracer.start_span(span.name, context=context, attributes=span.about, start_time=span.start)
        if span.failed:
            made.set_status(Status(StatusCode.ERROR, span.failed))
        made.end(end_time=span.end)

    return take, provider.shutdown

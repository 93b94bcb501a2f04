"""Spans for OpenTelemetry, derived from what was committed: the same facts that users read as events. Off unless a collector is named."""

from quintet.server.tracing.tracer import Tracer, opened

__all__ = ["Tracer", "opened"]

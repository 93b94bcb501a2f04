"""Logs on standard error: lines for people in development, JSON in production.

Everything goes through the standard library's root logger, so that a library's warning looks like ours. An exception is shown
by its class and places; its text may hold what a user wrote.
"""

import logging
import sys
from typing import Any

import structlog

__all__ = ["set_up_logs"]

_QUIET = (
    "uvicorn",
    "uvicorn.error",
    "asyncio",
    "alembic",
    "picows",
    "httpx2",
    "httpcore2",
    "httpx",
    "openai",
    "anthropic",
)


def set_up_logs(*, dev: bool) -> None:
    """Send all logs to standard error, from `info` upwards."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if dev
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)

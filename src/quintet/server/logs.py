"""Logs on standard error: lines for people in development, JSON in production.

1. Everything goes through the standard library's root logger, so that a library's line looks like ours.
2. An exception is told by its class and its places; its text only in development (`tracebacks.py`).
3. Of what is handed to a line beside its words, only known facts go out; a run's lines have its trace, a request's its id.
4. Nothing goes round it: threads, finalizers and the interpreter's own last words are told here, too.
"""

import logging
import sys
import threading
from collections.abc import Collection
from types import TracebackType
from typing import Any

import structlog

from quintet.server.tracebacks import Line, whole, without_text

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
    "mail.log",  # the mailbox of development would tell every address
)
_FACTS = ["trace_id", "run_id", "request_id", "agent", "invocation", "name_of_agent", "tool", "state", "duration_ms"]

logger = logging.getLogger(__name__)


def set_up_logs(*, dev: bool, secrets: Collection[str] = ()) -> None:
    """Send all logs of this process to standard error, from `info` upwards; `secrets` are hidden in the texts of exceptions."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(_FACTS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _first_line_of_asyncio,
        whole(secrets) if dev else without_text,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())] if dev else [structlog.processors.JSONRenderer()]
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
    _take_last_words()


def _first_line_of_asyncio(_: Any, __: str, line: Line) -> Line:
    """What follows it are representations of futures, and those hold the texts of exceptions."""
    if line.get("logger") == "asyncio":
        line["event"] = str(line["event"]).partition("\n")[0]
    return line


def _take_last_words() -> None:
    def of_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            logger.critical("the process ends because of a failure", exc_info=(kind, error, trace))

    def of_thread(told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None and not isinstance(told.exc_value, SystemExit):
            logger.error("a thread has ended because of a failure", exc_info=told.exc_value)

    def unraisable(told: Any) -> None:
        logger.error("a failure had nobody to go to", exc_info=told.exc_value)

    sys.excepthook = of_main
    threading.excepthook = of_thread
    sys.unraisablehook = unraisable

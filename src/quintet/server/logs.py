"""Logs on standard error: lines for people in development, JSON in production.

1. Everything goes through the standard library's root logger, so that a library's line looks like ours.
2. An exception is told by its class and its places, never by its text: that may hold what a user wrote, or a secret.
3. Of what is handed to a line beside its words, only known facts go out; a run's lines have its trace, a request's its id.
4. Nothing goes round it: threads, finalizers and the interpreter's own last words are told here, too.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator, MutableMapping
from types import TracebackType
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
_FACTS = ["trace_id", "run_id", "request_id", "agent", "invocation", "name_of_agent", "tool", "state", "duration_ms"]
_FRAMES = 20
_CAUSES = 5

logger = logging.getLogger(__name__)

_Line = MutableMapping[str, Any]


def set_up_logs(*, dev: bool) -> None:
    """Send all logs of this process to standard error, from `info` upwards."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(_FACTS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _first_line_of_asyncio,
        _without_texts,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: list[Any] = (
        [_as_a_paragraph, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if dev
        else [structlog.processors.JSONRenderer()]
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


def _first_line_of_asyncio(_: Any, __: str, line: _Line) -> _Line:
    """What follows it are representations of futures, and those hold the texts of exceptions."""
    if line.get("logger") == "asyncio":
        line["event"] = str(line["event"]).partition("\n")[0]
    return line


def _without_texts(_: Any, __: str, line: _Line) -> _Line:
    """Put the class and the places of an exception in the place of its text."""
    given = line.pop("exc_info", None)
    error = sys.exception() if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        chain = list(_chain(error))
        line["failure"] = [type(one).__qualname__ for one in chain]
        line["places"] = [place for one in chain for place in _places(one)]
    line.pop("stack_info", None)
    return line


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, then what caused it."""
    for _ in range(_CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _as_a_paragraph(_: Any, __: str, line: _Line) -> _Line:
    """For people: classes and places under the line."""
    if "failure" in line:
        lines = [" caused by ".join(line.pop("failure")), *(f"  at {place}" for place in line.pop("places"))]
        line["exception"] = "\n".join(
            [*lines, "  (texts of exceptions are not logged: they may hold what a user wrote)"]
        )
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

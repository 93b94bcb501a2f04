"""An agent is a function of a turn. The decorator makes a description of it that holds nothing of any run."""

import inspect
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, overload

__all__ = ["AgentSpec", "agent", "checked_name", "checked_timeout"]

R = TypeVar("R")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/(?:[a-z0-9.+-]+|\*)")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class AgentSpec(Generic[R]):
    """An agent: its name on the wire, a sentence about it, its time in seconds (None: as long as the run), its function."""

    name: str
    description: str
    timeout: float | None
    function: Callable[[Any], Any]
    is_async: bool
    attachments: tuple[str, ...] = ()  # media types it can make use of, such as text/*

    def __call__(self, turn: Any) -> Any:
        """Call the function itself, without events: for its own tests."""
        return self.function(turn)


class _Decorator(Protocol):
    @overload
    def __call__(self, function: Callable[[Any], Coroutine[Any, Any, R]], /) -> AgentSpec[R]: ...
    @overload
    def __call__(self, function: Callable[[Any], R], /) -> AgentSpec[R]: ...


@overload
def agent(function: Callable[[Any], Coroutine[Any, Any, R]], /) -> AgentSpec[R]: ...
@overload
def agent(function: Callable[[Any], R], /) -> AgentSpec[R]: ...
@overload
def agent(
    *, name: str | None = None, description: str = "", timeout: float | None = None, attachments: Sequence[str] = ()
) -> _Decorator: ...
def agent(
    function: Callable[[Any], Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str = "",
    timeout: float | None = None,
    attachments: Sequence[str] = (),
) -> Any:
    """Make an agent of an async function of a `Turn`, or of a plain one, which runs in a thread with a blocking turn.

    Args:
        function: the function, when the decorator is used without parentheses.
        name: what it is called on the wire; the function's name when absent.
        description: a sentence for people who choose an agent.
        timeout: seconds it may take. Never longer than the run.
        attachments: media types of the files it can make use of, such as `text/*`, for people who choose an agent.

    Raises:
        ValueError: a name that is not 1 to 64 letters, digits, `_`, `-` or `.`, a timeout that is not positive, or no media type.
        TypeError: not a function.
    """

    def make(function: Callable[[Any], Any]) -> AgentSpec[Any]:
        return AgentSpec(
            name=checked_name(name, function),
            description=description,
            timeout=checked_timeout(timeout),
            function=function,
            is_async=inspect.iscoroutinefunction(function),
            attachments=_checked_types(attachments),
        )

    return make if function is None else make(function)


def checked_name(name: str | None, function: Callable[..., Any]) -> str:
    """`name`, or the function's own, if it can stand on the wire."""
    if not inspect.isroutine(function) or inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError("an agent or a tool is made of an async or a plain function")
    chosen = name or str(getattr(function, "__name__", ""))
    if not _NAME.fullmatch(chosen):
        raise ValueError(f"the name {chosen!r} is not 1 to 64 letters, digits, '_', '-' or '.'")
    return chosen


def _checked_types(attachments: Sequence[str]) -> tuple[str, ...]:
    if isinstance(attachments, str) or not all(_MEDIA_TYPE.fullmatch(one) for one in attachments):
        raise ValueError('attachments are media types, such as ("text/*", "application/xml")')
    return tuple(attachments)


def checked_timeout(timeout: float | None) -> float | None:
    """`timeout`, if it is a time."""
    if timeout is not None and not 0 < timeout <= 86_400:
        raise ValueError("a timeout is a positive number of seconds, at most a day")
    return timeout

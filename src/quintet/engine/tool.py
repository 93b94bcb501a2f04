"""A tool is a function that agents call through their turn, so that its work is seen, bounded and can be stopped."""

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from quintet.engine.agent import checked_name, checked_timeout

__all__ = ["ToolSpec", "tool"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ToolSpec(Generic[P, R]):
    """A tool: its name on the wire, the seconds one call may take (None: the server's default), its function and how that is called."""

    name: str
    timeout: float | None
    function: Callable[..., Any]
    signature: inspect.Signature
    is_async: bool

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Call the function itself, without events: for its own tests, or inside another tool."""
        return self.function(*args, **kwargs)


class _Decorator(Protocol):
    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> ToolSpec[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> ToolSpec[P, R]: ...


@overload
def tool(function: Callable[P, Coroutine[Any, Any, R]], /) -> ToolSpec[P, R]: ...
@overload
def tool(function: Callable[P, R], /) -> ToolSpec[P, R]: ...
@overload
def tool(*, name: str | None = None, timeout: float | None = None) -> _Decorator: ...
def tool(
    function: Callable[..., Any] | None = None, /, *, name: str | None = None, timeout: float | None = None
) -> Any:
    """Make a tool of an async function, or of a plain one, which runs in a thread.

    Args:
        function: the function, when the decorator is used without parentheses.
        name: what it is called on the wire; the function's name when absent.
        timeout: seconds one call may take; when absent, what the server allows (`QUINTET_TOOL_SECONDS`).

    Raises:
        ValueError: a name that is not 1 to 64 letters, digits, `_`, `-` or `.`, or a timeout that is not positive.
        TypeError: not a function.
    """

    def make(function: Callable[..., Any]) -> ToolSpec[Any, Any]:
        return ToolSpec(
            name=checked_name(name, function),
            timeout=checked_timeout(timeout),
            function=function,
            signature=inspect.signature(function),
            is_async=inspect.iscoroutinefunction(function),
        )

    return make if function is None else make(function)

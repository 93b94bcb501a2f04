"""The dispatcher: the only place that runs a tool, and so the only one that tells of it.

1. `tool_executing` is durable before the tool starts; its transaction fails when a cancel was committed, and then the tool never starts.
2. Every started call is told to have ended, once, with what really became of it. The sentence of an error is fixed: nothing of an exception is told.
3. A tool that outlives its time or its cancel is left alone after the grace; its result is dropped.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from msgspec import UNSET

from quintet.engine.bounded import How, bounded
from quintet.engine.failures import ToolError
from quintet.engine.telling import Telling
from quintet.engine.threads import Outcome
from quintet.engine.tool import ToolSpec
from quintet.errors import RUN_CODES
from quintet.events import EventError, ToolCompleted, ToolExecuting
from quintet.redaction import show

__all__ = ["use"]

_Status = Literal["ok", "error", "timeout", "cancelled"]
_LOST = Outcome(None, asyncio.CancelledError())


class _Call:
    """One call of a tool, from the moment it is told."""

    def __init__(self, telling: Telling, spec: ToolSpec[..., Any], arguments: Mapping[str, Any]) -> None:
        self.telling = telling
        self.spec = spec
        self.id = telling.story.ids.new("call")
        self.started = telling.story.sources.monotonic()
        self.closed = False
        self.work: asyncio.Future[Any] | None = None
        telling.open[self.id] = self
        self.durable: asyncio.Future[None] = telling.story.home.loop.create_future()
        telling.emit(ToolExecuting(self.id, spec.name, show(arguments).value), self.id, self.durable)

    def close(self, status: _Status, code: str | None = None, result: Any = UNSET, truncated: bool = False) -> None:
        if self.closed:
            return
        self.closed = True
        self.telling.open.pop(self.id, None)
        lasted = round((self.telling.story.sources.monotonic() - self.started) * 1000)
        error = UNSET if code is None else EventError(code, RUN_CODES[code].sentence)
        completed = ToolCompleted(
            self.id, self.spec.name, status, lasted, result, error, truncated=True if truncated else UNSET
        )
        self.telling.emit(completed, self.id)

    def close_early(self) -> None:
        """See `Open`."""
        self.close("cancelled")
        self.durable.cancel()
        if self.work is not None:
            self.work.cancel()


async def use(telling: Telling, spec: ToolSpec[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a tool for an invocation and return what it returns.

    Raises:
        ToolError: `bad_arguments`, `tool_error` or `tool_timeout`. What the tool raised is its cause.
        TypeError: this is no tool.
    """
    if not isinstance(spec, ToolSpec):
        raise TypeError("use takes a tool: a function under @tool")
    async with telling.story.calls:
        await telling.admit(2)
        arguments = _bound(spec, args, kwargs)
        fits = arguments is not None
        call = _Call(telling, spec, arguments if arguments is not None else _unfit(spec, args, kwargs))
        try:
            await call.durable
            telling.check()
        except asyncio.CancelledError:
            call.close("cancelled")
            raise
        if not fits:
            call.close("error", "bad_arguments")
            raise ToolError("bad_arguments")
        return await _run(telling, call, args, kwargs)


async def _run(telling: Telling, call: _Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    story, spec = telling.story, call.spec
    call.started = story.sources.monotonic()
    try:
        if spec.is_async:
            call.work = story.spawn(_perform(spec, args, kwargs))
        else:
            function = partial(spec.function, *args, **kwargs)
            call.work = story.work.threads.call(story.home.loop, f"tool-{spec.name}", function)
    except RuntimeError as error:
        story.note("a tool could not be started", error, tool=spec.name)
        call.close("error", "tool_error")
        raise ToolError("tool_error") from error
    how = await bounded(call.work, spec.timeout or story.limits.tool, story.limits.grace)
    if not call.work.done():
        story.work.counters.add("abandoned")
    return _outcome(telling, call, how)


def _outcome(telling: Telling, call: _Call, how: How) -> Any:
    """Tell how a call ended, and answer its agent."""
    work = call.work
    outcome = work.result() if work is not None and work.done() and not work.cancelled() else _LOST
    if how == "timeout":
        call.close("timeout", "tool_timeout")
    elif outcome.error is None:
        shown = show(outcome.value)
        call.close("ok", result=UNSET if shown.value is None else shown.value, truncated=shown.truncated)
    elif how == "cancelled" or telling.silenced:
        call.close("cancelled")
    else:
        telling.story.note("a tool failed", outcome.error, tool=call.spec.name)
        call.close("error", "tool_error")
    if how == "cancelled" or telling.silenced:
        raise asyncio.CancelledError
    if how == "timeout":
        raise ToolError("tool_timeout")
    if outcome.error is not None:
        raise ToolError("tool_error") from outcome.error
    return outcome.value


async def _perform(spec: ToolSpec[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outcome:
    try:
        return Outcome(await spec.function(*args, **kwargs))
    except BaseException as error:
        return Outcome(None, error)


def _bound(spec: ToolSpec[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments by name; None when they do not fit the signature."""
    with contextlib.suppress(TypeError):
        arguments = dict(spec.signature.bind(*args, **kwargs).arguments)
        for name, parameter in spec.signature.parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD and name in arguments:
                arguments.update(arguments.pop(name))
        return arguments
    return None


def _unfit(spec: ToolSpec[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments that do not fit, by name as far as they have one: a value without a name cannot be redacted, so it is not shown."""
    names = list(spec.signature.parameters)
    named = dict(zip(names, args, strict=False))
    extra = {f"argument_{number + 1}": f"<{type(value).__name__}>" for number, value in enumerate(args)}
    return {**dict(list(extra.items())[len(named) :]), **named, **kwargs}

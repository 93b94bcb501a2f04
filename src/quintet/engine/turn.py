"""What an agent gets for one invocation: what it was asked, and the verbs by which it is heard.

A turn belongs to one invocation of one run and holds the only way to it: there is no global, and nothing is looked up by context.
Every verb raises `asyncio.CancelledError` once the run is stopped or the invocation has ended.
"""

from collections.abc import Coroutine
from typing import Any, ParamSpec, Protocol, TypeVar

from quintet.engine.agent import AgentSpec
from quintet.engine.attachment import Attachment
from quintet.engine.message import Message
from quintet.engine.tool import ToolSpec

__all__ = ["SyncAttachment", "SyncTurn", "Turn", "Voice"]

P = ParamSpec("P")
R = TypeVar("R")


class Voice(Protocol):
    """The invocation behind a turn."""

    @property
    def asked(self) -> Any: ...
    @property
    def history(self) -> tuple[Message, ...]: ...
    @property
    def attachments(self) -> tuple[Attachment, ...]: ...
    @property
    def thread_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def agent_id(self) -> str: ...
    @property
    def trace_id(self) -> str: ...
    @property
    def cancelled(self) -> bool: ...
    @property
    def text(self) -> str: ...

    async def think(self, text: str, progress: float | None) -> None: ...
    async def say(self, text: str) -> None: ...
    async def use(self, tool: ToolSpec[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    async def ask(self, agent: AgentSpec[Any], asked: Any) -> Any: ...
    def report_usage(self, counts: dict[str, int]) -> None: ...
    def wait(self, verb: Coroutine[Any, Any, R]) -> R:
        """Run a verb on the run's loop, from a plain thread."""
        ...


class _Turn:
    """What both kinds of turn know."""

    __slots__ = ("_voice",)

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    @property
    def text(self) -> str:
        """What was asked, as text: the user's message, or what `ask` was given (JSON when it was no text)."""
        return self._voice.text

    @property
    def input(self) -> Any:
        """What was asked, as it was given."""
        return self._voice.asked

    @property
    def history(self) -> tuple[Message, ...]:
        """Earlier messages of the thread, newest last: at most 200 and 256 KiB."""
        return self._voice.history

    @property
    def thread_id(self) -> str:
        """The conversation."""
        return self._voice.thread_id

    @property
    def run_id(self) -> str:
        """The run."""
        return self._voice.run_id

    @property
    def agent_id(self) -> str:
        """This invocation, the `agent.id` of its events."""
        return self._voice.agent_id

    @property
    def trace_id(self) -> str:
        """What the run's events and its lines in the server's log have in common."""
        return self._voice.trace_id

    @property
    def cancelled(self) -> bool:
        """True once the run is being stopped or this invocation has ended."""
        return self._voice.cancelled

    def report_usage(self, **counts: int) -> None:
        """Add to what this invocation has used, such as `input_tokens`, `output_tokens`, `requests`: the `usage` of its `agent_completed`.

        Raises:
            TypeError: a count is no whole number.
            ValueError: a count is negative or over 2**53, or there are more than 16 names, or one over 64 characters.
        """
        self._voice.report_usage(counts)


class Turn(_Turn):
    """One invocation of an async agent."""

    __slots__ = ()

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files sent with the message."""
        return self._voice.attachments

    async def think(self, text: str, progress: float | None = None) -> None:
        """Tell a step of the work (`agent_thinking`): at most 8,000 code points are shown. `progress` is 0..1 and never falls."""
        await self._voice.think(text, progress)

    async def say(self, text: str) -> None:
        """Say a piece of the answer (`text_delta`). Waits when the log is behind."""
        await self._voice.say(text)

    async def use(self, tool: ToolSpec[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a tool and return what it returns.

        Raises:
            ToolError: it failed (`tool_error`), took too long (`tool_timeout`), or the arguments do not fit (`bad_arguments`).
        """
        result: R = await self._voice.use(tool, args, kwargs)
        return result

    async def ask(self, agent: AgentSpec[R], input: Any = None) -> R:  # noqa: A002
        """Let another agent work on `input` and return what it returns. Its own words are events of its own.

        Raises:
            AgentError: it failed, or took too long (`timeout`).
        """
        result: R = await self._voice.ask(agent, input)
        return result


class SyncAttachment:
    """A file sent with the message, for an agent that is a plain function."""

    __slots__ = ("_file", "_voice", "id", "media_type", "name", "size")

    def __init__(self, file: Attachment, voice: Voice) -> None:
        self._file = file
        self._voice = voice
        self.id, self.name, self.media_type, self.size = file.id, file.name, file.media_type, file.size

    def read(self) -> bytes:
        """See `Attachment.read`."""
        return self._voice.wait(self._file.read())


class SyncTurn(_Turn):
    """One invocation of a plain function, which runs in a thread. The verbs are those of `Turn`, and block."""

    __slots__ = ()

    @property
    def history(self) -> tuple[Message, ...]:
        """Earlier messages of the thread, newest last: at most 200 and 256 KiB; without their files, which only an async agent can read."""
        return tuple(message._replace(attachments=()) for message in super().history)

    @property
    def attachments(self) -> tuple[SyncAttachment, ...]:
        """The files sent with the message."""
        return tuple(SyncAttachment(file, self._voice) for file in self._voice.attachments)

    def think(self, text: str, progress: float | None = None) -> None:
        """See `Turn.think`."""
        self._voice.wait(self._voice.think(text, progress))

    def say(self, text: str) -> None:
        """See `Turn.say`."""
        self._voice.wait(self._voice.say(text))

    def use(self, tool: ToolSpec[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """See `Turn.use`."""
        result: R = self._voice.wait(self._voice.use(tool, args, kwargs))
        return result

    def ask(self, agent: AgentSpec[R], input: Any = None) -> R:  # noqa: A002
        """See `Turn.ask`."""
        result: R = self._voice.wait(self._voice.ask(agent, input))
        return result

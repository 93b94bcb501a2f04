"""One invocation of an agent: its function runs, what it said and returned is judged, its ending follows.

1. What was said is the answer. A returned string is said when nothing was; anything else that is returned is the result.
2. Whatever an agent raises is its own failure: the log gets the traceback, the user a fixed sentence.
3. A child lives inside its parent, and ends before it: by itself, by its time, or because the parent ends.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from quintet.engine.agent import AgentSpec
from quintet.engine.attachment import Attachment
from quintet.engine.bounded import How, bounded
from quintet.engine.dispatch import use
from quintet.engine.failures import AgentError
from quintet.engine.message import Message
from quintet.engine.story import Story
from quintet.engine.telling import Telling
from quintet.engine.threads import Outcome
from quintet.engine.tool import ToolSpec
from quintet.engine.turn import SyncTurn, Turn
from quintet.errors import RUN_CODES
from quintet.events import AgentCancelled, AgentCompleted, AgentFailed, AgentRef, AgentStarted, EventError
from quintet.redaction import clean_text, show
from quintet.runs import Cancelled, Completed, Ending, Failed, shortened

__all__ = ["Invocation", "begin"]

R = TypeVar("R")

_TEXT_BYTES = 32 * 1024  # of an answer that its ending still carries
_TEXT_ENCODED = 48 * 1024  # the same as JSON, where a control character takes six bytes
_RESULT_BYTES = 12 * 1024  # so that an ending with both is within 64 KiB
_LOST = Outcome(None, asyncio.CancelledError())


class Invocation:
    """An agent at work on one input. It is the voice behind the agent's turn."""

    def __init__(self, story: Story, spec: AgentSpec[Any], ref: AgentRef, asked: Any, depth: int) -> None:
        self.story = story
        self.spec = spec
        self.asked = asked
        self.telling = Telling(story, ref)
        self._depth = depth
        self._answered = False
        self._work: asyncio.Future[Outcome] | None = None

    # --- what a turn shows --------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """What was asked, as text."""
        if self.asked is None or isinstance(self.asked, str):
            return self.asked or ""
        try:
            return msgspec.json.encode(self.asked, enc_hook=_plain).decode()
        except Exception:  # what is no JSON is shown as well as it can be
            return msgspec.json.encode(show(self.asked).value).decode()

    @property
    def history(self) -> tuple[Message, ...]:
        """The thread before this run."""
        return self.story.history

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files of the message."""
        return self.story.attachments

    @property
    def thread_id(self) -> str:
        """The thread."""
        return self.story.leased.thread_id

    @property
    def run_id(self) -> str:
        """The run."""
        return self.story.leased.run_id

    @property
    def agent_id(self) -> str:
        """This invocation."""
        return self.telling.ref.id

    @property
    def trace_id(self) -> str:
        """The run's, in events and in the log."""
        return self.story.leased.trace_id

    @property
    def cancelled(self) -> bool:
        """Nothing more may be told."""
        return self.telling.silenced

    # --- the verbs ----------------------------------------------------------------------------------------------------

    async def think(self, text: str, progress: float | None) -> None:
        """See `Turn.think`."""
        await self.telling.think(text, progress)

    async def say(self, text: str) -> None:
        """See `Turn.say`."""
        await self.telling.say(text)

    def report_usage(self, counts: dict[str, int]) -> None:
        """See `Turn.report_usage`."""
        self.telling.count(counts)

    async def use(self, tool: ToolSpec[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """See `Turn.use`."""
        return await use(self.telling, tool, args, kwargs)

    async def ask(self, agent: AgentSpec[Any], asked: Any) -> Any:
        """See `Turn.ask`."""
        if not isinstance(agent, AgentSpec):
            raise TypeError("ask takes an agent: a function under @agent")
        if self._depth >= self.story.limits.depth:
            raise RuntimeError(f"agents ask agents more than {self.story.limits.depth} deep")
        await self.telling.admit(2)
        ref = AgentRef(self.story.ids.new("agt"), agent.name, self.telling.ref.id)
        child = Invocation(self.story, agent, ref, asked, self._depth + 1)
        child.telling.emit(AgentStarted(_input(asked)))
        self.telling.open[ref.id] = child
        how = await child.run()
        ending = child.close(how)
        self.telling.open.pop(ref.id, None)
        return child.answer(how, ending, self.telling.silenced)

    def wait(self, verb: Coroutine[Any, Any, R]) -> R:
        """See `Voice.wait`."""
        return self.story.wait(verb)

    # --- a life -------------------------------------------------------------------------------------------------------

    async def perform(self) -> Outcome:
        """Run the agent's function, and say the string that it returned when it said nothing else."""
        try:
            if self.spec.is_async:
                value = await self.spec.function(Turn(self))
            else:
                value = await self._in_thread()
            _check_encodable(value)
            if isinstance(value, str) and value and not self.telling.said:
                self._answered = True
                await self.telling.say(value)
        except BaseException as error:  # also SystemExit and GeneratorExit: an agent must not end its loop
            return Outcome(None, error)
        return Outcome(value)

    async def _in_thread(self) -> Any:
        function = partial(self.spec.function, SyncTurn(self))
        outcome = await self.story.work.threads.call(self.story.home.loop, f"agent-{self.spec.name}", function)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    async def run(self) -> How:
        """Run as a child, within its time."""
        self._work = self.story.spawn(self.perform())
        how = await bounded(self._work, self.spec.timeout, self.story.limits.grace)
        if not self._work.done():
            self.story.work.counters.add("abandoned")
        return how

    @property
    def outcome(self) -> Outcome:
        """What its function came to."""
        work = self._work
        return work.result() if work is not None and work.done() and not work.cancelled() else _LOST

    def close(self, how: How) -> Ending | None:
        """End a child: close what it has open, then tell its ending. None when its parent has ended it before."""
        if self.telling.ended:
            return None
        self.telling.end()
        ending: Ending = Cancelled("timeout") if how != "done" else self.judge(self.outcome)
        ending = self.story.stopping or ending
        self.telling.emit(_event(ending, self.telling.lasted_ms))
        return ending

    def close_early(self) -> None:
        """See `Open`: the parent ends, so the child does."""
        if self.telling.ended:
            return
        self.telling.end()
        if self._work is not None:
            self._work.cancel()
        self.telling.emit(_event(self.story.stopping or Failed("agent_error"), self.telling.lasted_ms))

    def answer(self, how: How, ending: Ending | None, stopped: bool) -> Any:
        """What `ask` returns or raises in the parent."""
        if stopped or how == "cancelled" or ending is None:
            raise asyncio.CancelledError
        if isinstance(ending, Cancelled):
            raise AgentError(ending.reason)
        if isinstance(ending, Failed):
            raise AgentError(ending.code) from self.outcome.error
        return self.outcome.value

    def judge(self, outcome: Outcome) -> Ending:
        """The ending that an outcome deserves."""
        if outcome.error is not None:
            if self.story.stopping is None:
                self.story.note(f"agent {self.spec.name} failed", outcome.error, invocation=self.agent_id)
            return Failed("agent_error")
        value, said = outcome.value, self.telling.said
        if not said and (value is None or (value == "" and self._depth == 0)):
            return Failed("no_answer")
        result, truncated = UNSET, False
        if value is not None and value != "" and not self._answered:
            result, truncated = show(value, _RESULT_BYTES)
        text = "".join(said) if said else None
        usage = dict(self.telling.usage) or UNSET
        return Completed(self.telling.message_id, text, result, usage, truncated)


def begin(story: Story, spec: AgentSpec[Any]) -> None:
    """Start the root of a run; on the run's loop."""
    if story.over:
        return  # given up while its loop did not turn
    leased = story.leased
    root = Invocation(story, spec, leased.root, clean_text(leased.text), 0)

    def done(task: "asyncio.Task[Outcome]") -> None:
        root.telling.end()
        story.finish(root.judge(_LOST if task.cancelled() else task.result()))

    task = story.spawn(root.perform())
    story.root_task = task
    task.add_done_callback(done)
    if story.stopping is not None:
        task.cancel()


def _event(ending: Ending, lasted_ms: int) -> AgentCompleted | AgentFailed | AgentCancelled:
    """A child's ending as an event. The root's is made in the transaction that closes the run."""
    if isinstance(ending, Cancelled):
        return AgentCancelled(ending.reason, lasted_ms)  # type: ignore[arg-type]  # reasons are the wire's own words
    if isinstance(ending, Failed):
        known = RUN_CODES[ending.code]
        return AgentFailed(EventError(ending.code, known.sentence, known.retryable), lasted_ms)
    fits = ending.text is None or (
        len(ending.text.encode()) <= _TEXT_BYTES and len(msgspec.json.encode(ending.text)) <= _TEXT_ENCODED
    )
    return AgentCompleted(
        lasted_ms,
        message_id=ending.message_id or UNSET,
        text=ending.text if fits and ending.text is not None else UNSET,
        truncated=True if ending.truncated or not fits else UNSET,
        result=ending.result,
        usage=ending.usage,
    )


def _input(asked: Any) -> Any:
    """What an agent was asked, as its `agent_started` shows it: at most 500 characters; empty where it was asked nothing."""
    if asked is None:
        return ""
    if isinstance(asked, str):
        return shortened(clean_text(asked))
    shown = show(asked, 4096).value
    encoded = msgspec.json.encode(shown)
    return shown if len(encoded) <= 500 else shortened(encoded.decode())


def _check_encodable(value: Any) -> None:
    """Raise TypeError when `value` cannot be told as JSON at all."""
    if value is None or isinstance(value, str):
        return
    try:
        msgspec.json.encode(value, enc_hook=_plain)
    except (UnicodeEncodeError, OverflowError):
        return  # redaction cleans these
    except RecursionError as error:
        raise TypeError("what the agent returned refers to itself") from error


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump()
    raise TypeError(f"an agent cannot return a {type(value).__name__}")

"""`quintet chat`: a conversation in the terminal, or one message from an argument or a pipe.

The client lives on a loop in a thread of its own, so that it keeps its connection while a person types, and so that Ctrl-C reaches the
main thread, which alone decides what it means: the first one cancels the run, the second leaves.
"""

import asyncio
import contextlib
import io
import sys
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from quintet.client import Client, ClientError, Event, RefusedError, Run

from .reaching import Reach, reported
from .saying import say
from .screen import Screen, screen

__all__ = ["chat"]

_MOST_BYTES = 1 << 20  # of standard input; the server's own limit is said by its number
_PATIENCE = 60.0
_CLOSING = 10.0
_HELP = "Ctrl-C stops a run, Ctrl-D leaves. /new begins a thread, /agents lists who is here, /agent NAME chooses."
T = TypeVar("T")


def chat(url: str | None, agent: str | None, text: str | None) -> int:
    """Talks, and gives the exit code of the process: 0 where the run of a single message completed, else 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old terminal shows a mark for what it has no letter for
    piped = not sys.stdin.isatty()
    if text is None and not piped:
        return reported(url, lambda reach: _converse(reach, agent))
    if text is None or text == "-":
        text = sys.stdin.buffer.read(_MOST_BYTES).decode(errors="replace")
    if not text.strip():
        say("There is nothing to send. Give a text, or pipe one in.")
        return 2
    message = text
    return reported(url, lambda reach: _ask_once(reach, agent, message))


class _Talk:
    """One conversation: the client in its thread, the screen, the thread of messages, the agent."""

    def __init__(self, client: Client, agent: str | None) -> None:
        self.agent = agent
        self.thread_id: str | None = None
        self.client = client
        self._screen: Screen = screen(lambda: client.connected)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="client", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.wait(self.client.__aenter__())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(self.client.__aexit__(None, None, None), self._loop).result(_CLOSING)
        finally:
            self._stop()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of something done on the client's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def say(self, text: str) -> bool:
        """Sends a message and shows its run; whether it completed. Raises KeyboardInterrupt at the second Ctrl-C."""
        run = self.client.run(text, thread_id=self.thread_id, agent=self.agent)
        self._screen.begin()
        try:
            self._watched(run)
        finally:
            self._screen.end()
        if run.sent is not None:
            self.thread_id = run.sent.thread_id
        return _told(run)

    def _watched(self, run: Run) -> None:
        showing = asyncio.run_coroutine_threadsafe(self._show(run), self._loop)
        stopped = False
        while True:
            try:
                return showing.result()
            except KeyboardInterrupt:
                if stopped:
                    showing.cancel()
                    raise
                stopped = True
                self._screen.stopping()
                asyncio.run_coroutine_threadsafe(_cancel(run), self._loop)

    async def _show(self, run: Run) -> None:
        async for event in run:
            self._screen.take(event, run.text)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSING)
        if not self._thread.is_alive():
            self._loop.close()


async def _cancel(run: Run) -> None:
    try:
        await run.cancel()
    except ClientError as fault:
        say(f"It could not be stopped: {fault}")


def _told(run: Run) -> bool:
    """Says how a run ended that did not complete."""
    ending: Event | None = run.ending
    if ending is None or ending.type == "agent_completed":
        return ending is not None
    if ending.type == "agent_failed":
        error = ending.data["error"]
        say(f"{error['message']} ({error['code']}, trace {ending.trace_id})")
    else:
        say(
            {"user": "Stopped.", "timeout": "Stopped, because it took too long."}.get(ending.data["reason"], "Stopped.")
        )
    return False


def _ask_once(reach: Reach, agent: str | None, text: str) -> int:
    with _Talk(reach.client(_PATIENCE), agent) as talk:
        try:
            return 0 if talk.say(text) else 1
        except RefusedError as refusal:
            say(_refused(reach, talk, refusal))
            return 1


def _refused(reach: Reach, talk: _Talk, refusal: RefusedError) -> str:
    line = reach.line(refusal)
    if refusal.code != "unknown_agent":
        return line
    return f"{line} There are: {', '.join(one['name'] for one in talk.wait(talk.client.agents()))}."


def _converse(reach: Reach, agent: str | None) -> int:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - gives `input` its editing and its history
    with _Talk(reach.client(_PATIENCE), agent) as talk:
        say(f"Quintet at {reach.address.url}, signed in as {talk.client.user.get('email', 'a machine')}.\n{_HELP}\n")
        while True:
            try:
                line = input("› ").strip()
            except (EOFError, KeyboardInterrupt):
                say("")
                return 0
            if line:
                _step(reach, talk, line)


def _step(reach: Reach, talk: _Talk, line: str) -> None:
    """One line of a person. A refusal or a lost connection ends the message, not the conversation."""
    try:
        if line.startswith("/"):
            _order(talk, line)
        else:
            talk.say(line)
    except KeyboardInterrupt:
        say("The run goes on without you.")
        raise SystemExit(1) from None
    except RefusedError as refusal:
        say(_refused(reach, talk, refusal))


def _order(talk: _Talk, line: str) -> None:
    word, _, rest = line.partition(" ")
    match word:
        case "/new":
            talk.thread_id = None
            say("A new thread.")
        case "/agent" if rest.strip():
            talk.agent = rest.strip()
            say(f"{talk.agent} answers from now on.")
        case "/agents":
            for one in talk.wait(talk.client.agents()):
                say(f"{one['name']}: {one['description']}")
        case _:
            say(_HELP)

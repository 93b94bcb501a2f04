"""The client: one shared conversation for requests and runs, and one of its own for each reader of the log.

A reader that stands still must delay nobody else, so it has its own socket, which is simply not read. Runs share one: what a run's reader
is too slow for it reads later over HTTP.
"""

import asyncio
import contextlib
import secrets
import time
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import msgspec

from quintet.client.address import DEFAULT_URL, parse_address
from quintet.client.conversation import Conversation, Item
from quintet.client.door import Door
from quintet.client.faults import ClientError, RefusedError, UnansweredError
from quintet.client.items import CaughtUp, Received, Resynced, Sent
from quintet.client.run import Run
from quintet.client.session import Credentials, Fixed, Provided, Session
from quintet.events import Event
from quintet.protocol import TEXT_BYTES

__all__ = ["Client", "connect"]

_ANSWER = 60.0
_QUEUE = 256
_CLOSING = 5.0


def connect(
    url: str = DEFAULT_URL,
    *,
    token: str | Callable[[], Awaitable[str]] | None = None,
    session: Session | None = None,
    patience: float = 300.0,
) -> "Client":
    """Makes the client of one user at the server at `url`; it begins with `async with`.

    Exactly one of `token` (an access token, or a function that gives one) and `session` (renews itself) is needed. `patience` is how many
    seconds a lost connection is looked for before `UnreachableError`. Raises ValueError for an address that is none.
    """
    return Client(Door(parse_address(url), _credentials(token, session), patience))


def _credentials(token: str | Callable[[], Awaitable[str]] | None, session: Session | None) -> Credentials:
    if session is not None and token is None:
        return session
    if token is not None and session is None:
        return Fixed(token) if isinstance(token, str) else Provided(token)
    raise TypeError("connect needs exactly one of token and session")


class Client:
    """One user at one server. Every method raises `ClientError`s: `SignedOutError`, `RefusedError`, `UnreachableError`, `ClosedError`."""

    def __init__(self, door: Door) -> None:
        """Made by `connect`."""
        self._door = door
        self._shared: Conversation | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_message: weakref.WeakValueDictionary[str, Run] = weakref.WeakValueDictionary()
        self._by_run: weakref.WeakValueDictionary[str, Run] = weakref.WeakValueDictionary()
        self.user: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        """Fails at once where nobody answers or the sign-in does not count; later losses are borne with patience."""
        try:
            self.user = await self._door.call("GET", "/v1/auth/me")
        except BaseException:
            await self._door.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSING)
        await self._door.close()

    @property
    def connected(self) -> bool:
        """Whether there is a connection at this moment. Without one, what is said waits for the next."""
        return self._shared is None or self._shared.connected

    # --- what is said -------------------------------------------------------------------------------------------------

    async def send(
        self,
        text: str,
        *,
        thread_id: str | None = None,
        agent: str | None = None,
        client_id: str | None = None,
        attachments: Sequence[str] = (),
        within: float = _ANSWER,
    ) -> Sent:
        """Store a message and start its run. Repeated, over new connections too, until it is answered: stored at most once.

        Without `thread_id` it opens a new thread; `client_id` is made if not given, and names the message for a later repetition.

        Raises:
            RefusedError: `too_long`, `unknown_agent`, `not_found`, `conflict`, `queue_full` and others.
            UnansweredError: nobody has answered within so many seconds; the outcome is unknown.
        """
        name = client_id or secrets.token_hex(16)
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise RefusedError("bad_message", "The text holds a character that cannot be sent.") from None
        if size > TEXT_BYTES:
            raise RefusedError("too_long", f"The text has {size} bytes; a message may have {TEXT_BYTES}.")
        fields: dict[str, Any] = {"client_id": name, "text": text}
        more = {"thread_id": thread_id, "agent": agent, "attachments": list(attachments) or None}
        fields |= {key: value for key, value in more.items() if value is not None}
        try:
            return msgspec.convert(await self._request("send", fields, within), Sent)
        except UnansweredError as fault:
            raise UnansweredError(str(fault), name) from None

    async def cancel(self, run_id: str, *, within: float = _ANSWER) -> str:
        """Stop a run; its state at that moment, which may still be `running`. Idempotent. Raises RefusedError `not_found`."""
        return str((await self._request("cancel", {"run_id": run_id}, within))["state"])

    def run(
        self, text: str, *, thread_id: str | None = None, agent: str | None = None, client_id: str | None = None
    ) -> Run:
        """Send a message and read its run: `async for event in client.run("…")` ends with the run's ending.

        The iteration raises `UnfinishedError` if the events end without an ending, and whatever `send` raises.
        """
        name = client_id or secrets.token_hex(16)

        async def send() -> Sent:
            await self._listening()
            sent = await self.send(text, thread_id=thread_id, agent=agent, client_id=name)
            self._by_run[sent.run_id] = run
            return sent

        run = Run(name, self._door, send, self.cancel)
        self._by_message[name] = run
        return run

    # --- what is read -------------------------------------------------------------------------------------------------

    async def events(self, after: str = "$") -> AsyncGenerator[Event | Resynced, None]:
        """The log from a cursor onward, without end: each event once, over lost connections too.

        `after` is the `cursor` of the last event that was applied, `0` for everything that is kept, `$` for what comes from now on. A
        `Resynced` among the events says that the cursor could not be gone on from.
        """
        async with contextlib.aclosing(self.follow(after)) as items:
            async for item in items:
                if isinstance(item, Resynced):
                    yield item
                elif isinstance(item, Received) and item.event is not None:
                    yield item.event

    async def follow(self, after: str = "$") -> AsyncGenerator[Received | CaughtUp | Resynced, None]:
        """As `events`, with the frames as they came, and with the news that everything up to now has been given."""
        queue: asyncio.Queue[Item] = asyncio.Queue(_QUEUE)
        conversation = Conversation(self._door, after, queue.put)
        task = self._start(conversation.run())
        try:
            while True:
                item = await _next_of(queue, task)
                yield item
                conversation.applied = item.cursor
        finally:
            task.cancel()

    async def snapshot(self) -> dict[str, Any]:
        """The newest threads and the open runs, with the `cursor` and `last_seq` at which that is true."""
        told: dict[str, Any] = await self._door.get("/v1/snapshot")
        return told

    async def agents(self) -> list[dict[str, Any]]:
        """The agents that can be asked: `name`, `description`."""
        told: list[dict[str, Any]] = (await self._door.get("/v1/agents"))["items"]
        return told

    async def threads(self, *, after: str | None = None, limit: int = 50) -> dict[str, Any]:
        """A page of threads, newest first: `items`, and `next` where there are more. `limit` is at most 200."""
        told: dict[str, Any] = await self._door.get("/v1/threads", after=after, limit=limit)
        return told

    async def messages(self, thread_id: str, *, after: str | None = None, limit: int = 50) -> dict[str, Any]:
        """A page of a thread's messages, oldest first. Raises RefusedError `not_found`."""
        told: dict[str, Any] = await self._door.get(
            f"/v1/threads/{quote(thread_id, safe='')}/messages", after=after, limit=limit
        )
        return told

    # --- the shared conversation --------------------------------------------------------------------------------------

    async def _conversation(self) -> Conversation:
        if self._shared is None:
            self._shared = Conversation(self._door, "$", self._route)
            self._start(self._talk(self._shared))
        return self._shared

    async def _talk(self, conversation: Conversation) -> None:
        try:
            await conversation.run()
        except ClientError as fault:
            for run in list(self._by_message.values()):
                run.fail(fault)

    async def _listening(self) -> None:
        """What is sent after this is heard of."""
        conversation = await self._conversation()
        try:
            async with asyncio.timeout(_ANSWER):
                await conversation.following.wait()
        except TimeoutError:
            raise UnansweredError(f"the log could not be followed within {_ANSWER:.0f} s; nothing was sent") from None

    async def _request(self, verb: str, fields: dict[str, Any], within: float) -> dict[str, Any]:
        """The answer; what is refused for a moment is asked again."""
        until = time.monotonic() + within
        while True:
            left = until - time.monotonic()
            try:
                return await (await self._conversation()).request(verb, fields, max(left, 0.1))
            except RefusedError as refusal:
                wait = (refusal.retry_after or 1) + secrets.randbelow(1000) / 1000
                if not refusal.passes or wait > left:
                    raise
                await asyncio.sleep(wait)

    async def _route(self, item: Item) -> None:
        """Each event to the run it belongs to. Waits for nobody."""
        assert self._shared is not None
        self._shared.applied = item.cursor
        if isinstance(item, Resynced):
            for known in list(self._by_run.values()):
                known.look()
        elif isinstance(item, Received) and item.event is not None and isinstance(item.event.run_id, str):
            self._give(item.event, item.event.run_id)

    def _give(self, event: Event, run_id: str) -> None:
        if event.type == "message_accepted":
            asked = self._by_message.get(str(event.data.get("client_id")))
            if asked is not None:
                self._by_run[run_id] = asked
        run = self._by_run.get(run_id)
        if run is not None:
            run.take(event)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _next_of(queue: asyncio.Queue[Item], task: asyncio.Task[None]) -> Item:
    """The next item; what has ended the task, after everything that came before."""
    if queue.empty() and not task.done():
        getting = asyncio.ensure_future(queue.get())
        try:
            await asyncio.wait({getting, task}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
        finally:
            getting.cancel()
    if not queue.empty():
        return queue.get_nowait()
    if task.cancelled():
        raise ClientError("the client was closed")
    fault = task.exception()
    assert fault is not None
    raise fault

"""A scripted provider that speaks like OpenAI: real HTTP on loopback, answers as server-sent events, each step under the test's control."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

__all__ = ["CUT", "SILENCE", "Asked", "Provider", "Refusal", "call", "text", "thought", "used"]

CUT = object()  # in a script: end the connection in the middle
SILENCE = object()  # instead of a script: not even headers
WAIT = 10.0

Step = str | float | dict[str, Any] | asyncio.Event | object  # a number is a pause in seconds


@dataclass
class Refusal:
    """An answer that is no stream."""

    status: int
    body: str
    headers: tuple[str, ...] = ()


@dataclass
class Asked:
    """One request, and what became of its connection."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    left: asyncio.Event = field(default_factory=asyncio.Event)  # the client has closed before the answer was over

    @property
    def messages(self) -> list[tuple[str, Any]]:
        """Role and content of each message."""
        return [(one["role"], one.get("content")) for one in self.body["messages"]]


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", "choices": [choice]}


def text(*pieces: str) -> list[dict[str, Any]]:
    """Words, a piece an event."""
    return [_chunk({"role": "assistant", "content": piece}) for piece in pieces]


def thought(*pieces: str) -> list[dict[str, Any]]:
    """Reasoning, a piece an event."""
    return [_chunk({"role": "assistant", "reasoning_content": piece}) for piece in pieces]


def call(name: str, arguments: str = "{}", call_id: str = "call_1", index: int = 0) -> list[dict[str, Any]]:
    """A tool call; its arguments come in two pieces."""
    half = len(arguments) // 2
    first = {
        "index": index,
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments[:half]},
    }
    rest = {"index": index, "function": {"arguments": arguments[half:]}}
    return [_chunk({"role": "assistant", "tool_calls": [first]}), _chunk({"tool_calls": [rest]})]


def used(inputs: int, outputs: int) -> dict[str, Any]:
    """The last event before the end: what the request cost."""
    usage = {"prompt_tokens": inputs, "completion_tokens": outputs, "total_tokens": inputs + outputs}
    return {**_chunk({}), "choices": [], "usage": usage}


Answer = Sequence[Step] | Refusal | object
Script = Callable[[Asked], Answer]


class Provider:
    """Entered, it listens. Requests are answered by `answers`, in order; the last one again and again; a function is asked."""

    def __init__(self, *answers: Answer | Script) -> None:
        self.answers = list(answers)
        self.asked: list[Asked] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """For `QUINTET_MODEL_BASE_URL`."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until_asked(self, count: int = 1) -> Asked:
        """Request number `count`, once it has come."""
        async with asyncio.timeout(WAIT):
            while len(self.asked) < count:
                await asyncio.sleep(0.01)
        return self.asked[count - 1]

    async def until_left(self) -> None:
        """Until no connection is open any more."""
        async with asyncio.timeout(WAIT):
            while self._tasks:
                await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        asked = Asked(head[0].split()[1], headers, body)
        self.asked.append(asked)
        chosen = self.answers[min(len(self.asked), len(self.answers)) - 1]
        answer = chosen(asked) if callable(chosen) else chosen
        if answer is SILENCE:
            await reader.read(1)
            asked.left.set()
            return False
        if isinstance(answer, Refusal):
            content = answer.body.encode()
            lines = [f"HTTP/1.1 {answer.status} No", "content-type: application/json", *answer.headers]
            writer.write("\r\n".join([*lines, f"content-length: {len(content)}", "", ""]).encode() + content)
            await writer.drain()
            return True
        assert isinstance(answer, Sequence)
        return await self._stream(answer, asked, reader, writer)

    async def _stream(
        self, answer: Sequence[Step], asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        gone = asyncio.ensure_future(reader.read(1))
        try:
            for step in [*answer, "[DONE]"]:
                if step is CUT:
                    writer.transport.abort()
                    return False
                if isinstance(step, asyncio.Event):
                    opened = asyncio.ensure_future(step.wait())
                    await asyncio.wait({opened, gone}, return_when=asyncio.FIRST_COMPLETED)
                    opened.cancel()
                elif isinstance(step, float):
                    await asyncio.wait({gone}, timeout=step)
                else:
                    data = f"data: {step if isinstance(step, str) else json.dumps(step)}\n\n".encode()
                    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                    await writer.drain()
                if gone.done():
                    asked.left.set()
                    return False
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        finally:
            gone.cancel()
            await asyncio.wait({gone})
        return True

"""Two more ways to carry events, written out by hand: a stream that answers the request that asks, and Socket.IO on a WebSocket.

Each server lies in the test's own loop; `RUN` is what an agent does, as names and fields.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

__all__ = ["answering_stream", "socketio_chat"]


def _ag_ui(run: str, thread: str, text: str) -> list[dict[str, Any]]:
    call, message = {"toolCallId": f"call-of-{run}"}, {"messageId": f"message-of-{run}"}
    return [
        {"type": "RUN_STARTED", "threadId": thread, "runId": run},
        {"type": "REASONING_MESSAGE_CONTENT", **message, "delta": "Well"},
        {"type": "TOOL_CALL_START", **call, "toolCallName": "look_up"},
        {"type": "TOOL_CALL_ARGS", **call, "delta": "{}"},
        {"type": "TOOL_CALL_END", **call},
        {"type": "TOOL_CALL_RESULT", **message, **call, "content": text},
        {"type": "TEXT_MESSAGE_CONTENT", **message, "delta": text},
        {"type": "RUN_FINISHED", "threadId": thread, "runId": run},
    ]


@contextlib.asynccontextmanager
async def answering_stream(drop: str = "") -> AsyncIterator[str]:
    """An AG-UI agent: a POST answered by a run's events, in chunks that respect no line; without the events of type `drop`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        size = int(head.partition("content-length:")[2].split("\r\n")[0])
        asked = json.loads(await reader.readexactly(size))
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\xef\xbb\xbf: hello\r\n\r\n"
        )
        told = _ag_ui(asked["runId"], asked["threadId"], asked["messages"][0]["content"])
        stream = "".join(f"data: {json.dumps(event)}\r\n\r\n" for event in told if event["type"] != drop).encode()
        for start in range(0, len(stream), 37):
            writer.write(stream[start : start + 37])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@contextlib.asynccontextmanager
async def socketio_chat(drop: str = "") -> AsyncIterator[str]:
    """A Socket.IO chat that pings before it answers, greets before it accepts, and asks to acknowledge; without the events `drop`."""
    runs = iter(range(1000, 9999))

    async def talk(socket: ServerConnection) -> None:
        await socket.send('0{"sid":"e1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}')
        asked = json.loads(str(await socket.recv())[2:])
        user = str(asked["token"]).partition("-")[0]
        await socket.send("2")
        assert await socket.recv() == "3"
        if user not in {"alice", "bob"}:
            await socket.send('44{"message":"unknown token"}')
            return
        await socket.send('42["welcome",{"user":"' + user + '"}]')
        await socket.send('40{"sid":"s1"}')
        async for said in socket:
            text = json.loads(str(said)[2:])[1]["text"]
            run = {"run": f"run-{next(runs)}", "user": user}
            steps: list[tuple[str, dict[str, Any]]] = [
                ("run_start", {"text": text}),
                ("thinking", {}),
                ("tool_start", {"call": f"call-of-{run['run']}"}),
                ("tool_end", {"call": f"call-of-{run['run']}"}),
                ("token", {"text": text}),
                ("run_end", {"text": text}),
            ]
            for number, (name, fields) in enumerate(steps):
                if name != drop:
                    await socket.send(f"42{number}{json.dumps([name, run | fields])}")

    async def quietly(socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await talk(socket)

    async with serve(quietly, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"

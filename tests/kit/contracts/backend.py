"""A small backend with a dialect of its own, which can be told to break the contract in one way: `python backend.py DEFECT`.

A socket at `/chat?token=…&since=…`; `{"ask": text}` starts a run. Users are the words before the dash of their token. It prints its port.
"""

import asyncio
import json
import sys
from collections import defaultdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

DEFECTS = (
    *(
        "lost",
        "doubled",
        "reordered",
        "unpaired",
        "orphan",
        "two_endings",
        "after_the_ending",
        "no_ending",
        "not_started",
    ),
    *("leak", "open_door", "resume_skips", "resume_repeats", "resume_changes", "offset", "text", "silent"),
)


class Backend:
    """The logs of all users, and who reads them."""

    def __init__(self, defect: str) -> None:
        self.defect = defect
        self.logs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.readers: dict[str, set[ServerConnection]] = defaultdict(set)
        self.tasks: set[asyncio.Task[None]] = set()
        self.runs = 0

    async def serve(self, socket: ServerConnection) -> None:
        """One connection."""
        asked = parse_qs(urlsplit(socket.request.path if socket.request else "").query)
        token = asked.get("token", [""])[0]
        if not token.startswith(("alice-", "bob-")) and self.defect != "open_door":
            await socket.close(4401, "who?")
            return
        user = token.partition("-")[0]
        since = int(asked["since"][0]) if "since" in asked else len(self.logs[user])
        await socket.send(json.dumps({"kind": "hello"}))
        since += {"resume_skips": 1, "resume_repeats": -1}.get(self.defect, 0) if "since" in asked else 0
        for event in self.logs[user][max(0, since) :]:
            changed = {"extra": 1} if self.defect == "resume_changes" else {}
            await socket.send(json.dumps(event | changed))
        self.readers[user].add(socket)
        try:
            async for message in socket:
                task = asyncio.create_task(self.run(user, str(json.loads(message)["ask"])))
                self.tasks.add(task)
        except ConnectionClosed:
            pass
        finally:
            self.readers[user].discard(socket)

    async def run(self, user: str, text: str) -> None:
        """An agent at work."""
        self.runs += 1
        run, told = f"run-{self.runs:06d}", f"On {text}"
        call = {"run": run, "call": f"call-{self.runs:06d}"}
        events: list[dict[str, Any]] = [
            {"kind": "begin", "run": run, "text": text},
            {"kind": "thought", "run": run},
            {"kind": "tool", "phase": "start", **call},
            {"kind": "tool", "phase": "stop", **call},
            {"kind": "piece", "run": run, "message": run, "at": 0, "text": told[:4]},
            {"kind": "piece", "run": run, "message": run, "at": 4, "text": told[4:]},
            {"kind": "end", "run": run, "message": run, "text": told},
        ]
        for event in self.broken(events):
            await asyncio.sleep(0.005)
            event["n"] = len(self.logs[user]) + 1
            self.logs[user].append(event)
            await self.deliver(user, event)

    def broken(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The events of a run with the defect in them, where it is one of the run."""
        change = {
            "unpaired": lambda: events.pop(3),
            "orphan": lambda: events.pop(2),
            "two_endings": lambda: events.append(dict(events[-1])),
            "after_the_ending": lambda: events.append(dict(events[1])),
            "no_ending": lambda: events.pop(),
            "offset": lambda: events[5].update(at=5),
            "text": lambda: events[6].update(text="Something else"),
            "not_started": lambda: events.pop(0),
            "silent": events.clear,
        }.get(self.defect)
        if change is not None:
            change()
        return events

    async def deliver(self, user: str, event: dict[str, Any]) -> None:
        """To every reader of the user, and with some defects otherwise."""
        raw = json.dumps(event)
        copies = {"lost": 0, "doubled": 2}.get(self.defect, 1) if event["kind"] == "thought" else 1
        readers = {
            reader for name in self.readers for reader in self.readers[name] if name == user or self._leaks(event)
        }
        for reader in readers:
            if self.defect == "reordered" and event["kind"] == "thought":
                self.tasks.add(asyncio.create_task(_later(reader, raw)))
                continue
            for _ in range(copies):
                try:
                    await reader.send(raw)
                except ConnectionClosed:
                    continue

    def _leaks(self, event: dict[str, Any]) -> bool:
        return self.defect == "leak" and event["kind"] == "piece"


async def _later(reader: ServerConnection, raw: str) -> None:
    await asyncio.sleep(0.02)
    await reader.send(raw)


async def main(defect: str) -> None:
    """Serve until the end of standard input."""
    backend = Backend(defect)
    async with serve(backend.serve, "127.0.0.1", 0) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)  # noqa: T201 - who started it reads it
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))

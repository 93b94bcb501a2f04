"""The operator of a server: types the commands on its host, in a folder of their own."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from command_line.commands import clean
from support.server import Server

__all__ = ["Done", "Operator"]

SECONDS = 30.0


class Done(NamedTuple):
    """How a command ended: exit code, what it printed on either stream, and when (monotonic seconds)."""

    code: int
    out: str
    said: str
    at: float


class Operator:
    """Runs commands on the data of one server."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        database = ("--database", server.postgres.url) if server.postgres is not None else ()
        self.data = ("--data", str(server.data), *database)

    async def run(
        self, *words: str, given: bytes = b"", environment: Mapping[str, str] | None = None, anywhere: bool = False
    ) -> Done:
        """A command with pipes, while this loop goes on. `anywhere`: without naming the server's data."""
        command = [sys.executable, "-m", "quintet", *words, *(() if anywhere else self.data)]

        def work() -> Done:
            done = subprocess.run(
                command, cwd=self.folder, env=clean(environment or {}), input=given,
                capture_output=True, timeout=SECONDS, check=False,
            )  # fmt: skip
            said = done.stderr.decode()
            assert "Traceback" not in said, said
            return Done(done.returncode, done.stdout.decode(), said, time.monotonic())

        return await asyncio.to_thread(work)

    async def fine(self, *words: str, given: bytes = b"") -> Done:
        """A command that must end with 0."""
        done = await self.run(*words, given=given)
        assert done.code == 0, f"{' '.join(words)} ended with {done.code}\n{done.said}\n{self.server.tail()}"
        return done

    async def listed(self, email: str) -> dict[str, Any]:
        """The user in the list."""
        users: list[dict[str, Any]] = json.loads((await self.fine("user", "list", "--json")).out)
        assert [user["created_at"] for user in users] == sorted(user["created_at"] for user in users)
        return next(user for user in users if user["email"] == email)

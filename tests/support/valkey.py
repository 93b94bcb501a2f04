"""A Redis (or Valkey) for a test that stops and kills it, started by the kit on loopback."""

import shutil
from pathlib import Path

from quintet.testing.config import Ready
from quintet.testing.services.command import CommandService

__all__ = ["valkey_in"]


def valkey_in(folder: Path) -> CommandService:
    """It keeps nothing. Not started yet. Raises AssertionError where the machine has none."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    assert program, "these tests need a Valkey or a Redis and found none. On Debian: apt-get install redis-server"
    line = (program, "--bind", "{host}", "--port", "{port}", "--save", "", "--appendonly", "no")
    ready = Ready(log="Ready to accept connections")
    return CommandService("valkey", folder, line, ready=ready, cwd=folder.parent, env=lambda _: {}, scheme="redis")

"""A Redis (or Valkey) for a test that stops and kills it, started by the kit on loopback."""

import shutil
from pathlib import Path

from quintet.testing.config import Ready
from quintet.testing.services.command import CommandService

__all__ = ["PROGRAM", "valkey_in"]

PROGRAM = shutil.which("valkey-server") or shutil.which("redis-server")


def valkey_in(folder: Path) -> CommandService:
    """It keeps nothing. Not started yet."""
    line = (PROGRAM or "valkey-server", "--bind", "{host}", "--port", "{port}", "--save", "", "--appendonly", "no")
    ready = Ready(log="Ready to accept connections")
    return CommandService("valkey", folder, line, ready=ready, cwd=folder.parent, env=lambda _: {}, scheme="redis")

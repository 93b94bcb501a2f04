"""A server that will die at a named point, and the proof that it died there. See `serve.py`."""

import asyncio
from pathlib import Path

import pytest

from quintet.testing.services.handle import ServiceError
from support.server import Factory, Server

__all__ = ["COMMAND", "arm", "dies_at", "mortal", "restarted_to_die_at"]

COMMAND = ("faults/serve.py", "--")
DEATH_SECONDS = 40.0


def mortal(make: Factory, where: str, defect: str = "") -> Server:
    """A server that is up, and dies at `where`: a point and which of its passes, `NAME:N`. Perhaps with a planted defect."""
    server = make(start=False, command=COMMAND)
    if defect:
        server.environment["FAULT_DEFECT"] = defect
    arm(server, where)
    server.start()
    return server


async def dies_at(server: Server, where: str) -> str:
    """Wait until it has died, at that point; returns what was on its way there. Its next start is an ordinary one."""
    await asyncio.to_thread(server.wait, DEATH_SECONDS)
    del server.environment["FAULT_POINT"]
    assert _note(server).exists(), f"the server ended, but not at {where}\n{server.tail()}"
    name, what = _note(server).read_text().split()
    _note(server).unlink()
    assert name == where.partition(":")[0], f"the server died at {name}, and not at {where}"
    return what


async def restarted_to_die_at(server: Server, where: str) -> str:
    """Start it again; it must die at that point before it is ready."""
    arm(server, where)
    with pytest.raises(ServiceError):
        await asyncio.to_thread(server.start)
    return await dies_at(server, where)


def arm(server: Server, where: str) -> None:
    server.environment |= {"FAULT_POINT": where, "FAULT_REACHED": str(_note(server))}


def _note(server: Server) -> Path:
    return server.home / "reached"

"""The tests' own tools keep their promises: nothing survives a dead run, and a failure shows what happened."""

import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path

import pytest

from support.server import TESTS, Factory
from support.world import World

pytestmark = pytest.mark.l3

_RUN = """
import sys
from pathlib import Path
from support.server import Server
server = Server(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


async def test_a_killed_run_leaves_no_server(tmp_path: Path) -> None:
    """Kill -9 of the test run: its servers are gone within 2 s."""
    pipe = asyncio.subprocess.PIPE
    run = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _RUN, str(tmp_path), stdin=pipe, stdout=pipe, cwd=TESTS
    )
    assert run.stdout is not None
    server = int(await asyncio.wait_for(run.stdout.readline(), 40))
    os.kill(server, 0)
    run.kill()
    await run.wait()
    deadline = time.monotonic() + 2
    with contextlib.suppress(ProcessLookupError):
        while _runs(server):
            assert time.monotonic() < deadline, "the server outlived the run that started it"
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether the process exists and is no zombie that only waits for somebody to collect it."""
    os.kill(pid, 0)
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_a_failing_step_shows_transcript_and_log(world: World) -> None:
    """Every step has a deadline, and its failure shows time, direction, frames and the server's log."""
    device = await world.device(await world.user(), name="patient")
    with pytest.raises(AssertionError) as failure:
        await device.find("what never comes", lambda e: e.type == "never", within=0.2)
    shown = str(failure.value)
    assert "waited 0.2 s in vain for what never comes" in shown
    assert '-> {"id":"q0","do":"follow","after":"0"}' in shown
    assert '<- {"type":"caught_up"' in shown
    assert "--- the log of server" in shown


def test_a_server_that_cannot_start_says_why(server_factory: Factory) -> None:
    """A start that fails shows the exit code and the server's own words."""
    with pytest.raises(
        AssertionError, match=r"exit code \d+ while the test run waited for its line(.|\n)*no_such_module"
    ):
        server_factory(agents=("no_such_module",))

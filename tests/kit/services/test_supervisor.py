"""The supervisor: whatever happens to its owner, nothing of the service is left."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from quintet.testing.services.handle import ServiceError
from quintet.testing.services.processes import Plan, Supervised
from support.processes import Seen, below, gone

pytestmark = pytest.mark.l3
# A child in the group, a grandchild that has left the group and session, and no heed to SIGTERM.
FAMILY = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"]
subprocess.Popen(sleep)
subprocess.Popen([sys.executable, "-c", f"import subprocess; subprocess.Popen({sleep!r}, start_new_session=True)"]).wait()
print("family complete", flush=True)
time.sleep(300)
"""
OWNER = r"""
import os, sys, time
from quintet.testing.services.processes import Plan, Supervised
one = Supervised("thing")
one.start(Plan(argv=[sys.executable, "-c", sys.argv[1]], env={}, cwd=sys.argv[2], log=sys.argv[2] + "/log", remove=[sys.argv[2]]))
if sys.argv[3] == "fork" and os.fork() == 0:
    os.write(1, b"%d\n" % os.getpid())
    time.sleep(300)
os.write(1, b"%d\n" % os.getpid())
time.sleep(300)
"""


def said(log: Path, words: str, within: float = 10.0) -> None:
    """The log has these words in time."""
    until = time.monotonic() + within
    while not log.exists() or words not in log.read_text():
        assert time.monotonic() < until, f"{words!r} was not said: {log.read_text() if log.exists() else 'no log'}"
        time.sleep(0.01)


def test_kill_takes_all(supervised: Callable[[], Supervised], plan: Callable[..., Plan], tmp_path: Path) -> None:
    """kill() takes the whole family, also whoever left the group, and start() begins anew with the same supervisor."""
    others = below(os.getpid())
    one = supervised()
    one.start(plan(FAMILY))
    said(tmp_path / "thing.log", "family complete")
    assert one.pid
    family = [Seen.of(one.pid), *below(one.pid)]
    ours = [each for each in below(os.getpid()) if each not in others]
    everyone = [each for each in ours if each.command.startswith(sys.executable)]
    assert len(everyone) >= 4, everyone  # supervisor, service, child, abandoned grandchild
    one.kill()
    assert one.exit_code == -signal.SIGKILL
    assert not one.alive
    gone([each for each in family if each], 0.5)
    supervisor = [each for each in everyone if "supervisor.py" in each.command]
    gone([each for each in everyone if each not in supervisor], 0.5)
    one.start(plan("print('again', flush=True); import time; time.sleep(300)"))
    said(tmp_path / "thing.log", "again")
    one.end()
    gone(supervisor, 0.5)


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_owner_killed(tmp_path: Path, how: str) -> None:
    """Kill -9 of the owner leaves nothing after two seconds, also if a forked copy of it keeps the pipe open; its folder goes too."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    command = [sys.executable, "-c", OWNER, FAMILY, str(folder), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        copies: set[int] = set()
        try:
            copies |= {int(owner.stdout.readline()) for _ in range(2 if how == "fork" else 1)}
            said(folder / "log", "family complete")
            family = [one for one in below(owner.pid) if one.pid not in copies]
            assert len(family) >= 4, family
            owner.kill()
            gone(family, 2.0)
        finally:
            owner.kill()
            for pid in copies - {owner.pid}:
                os.kill(pid, signal.SIGKILL)
    assert not folder.exists()


def test_own_end(supervised: Callable[[], Supervised], plan: Callable[..., Plan]) -> None:
    """A service that ends by itself is known to have ended, with its exit code, and takes what it started with it."""
    one = supervised()
    left = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)']); sys.exit(7)"
    )
    one.start(plan(left))
    assert one.wait(10) == 7
    assert not one.alive
    gone([each for each in below(os.getpid()) if "time.sleep(300)" in each.command], 1.0)


def test_stop_is_heard(supervised: Callable[[], Supervised], plan: Callable[..., Plan], tmp_path: Path) -> None:
    """stop() sends the service's own signal and gives it time to say farewell."""
    one = supervised()
    farewell = (
        "import signal, sys, time; signal.signal(signal.SIGINT, lambda *_: (print('farewell', flush=True), sys.exit(3)));"
        "print('here', flush=True); time.sleep(300)"
    )
    one.start(plan(farewell, stop=signal.SIGINT, patience=5.0))
    said(tmp_path / "thing.log", "here")
    one.stop()
    assert one.exit_code == 3
    said(tmp_path / "thing.log", "farewell", 0)


def test_no_such_program(supervised: Callable[[], Supervised], plan: Callable[..., Plan]) -> None:
    """A program that cannot be run is named at once."""
    with pytest.raises(ServiceError, match=r"thing: /no/such/program cannot be run: .*No such file"):
        supervised().start(plan("", argv=["/no/such/program"]))

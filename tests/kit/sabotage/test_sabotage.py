"""A suite that means it notices every defect; one that does not is told so, in one call of pytest."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kit.sabotage.conftest import Sabotage
from quintet.testing.sabotage.defects import ALL
from support.processes import below, gone

pytestmark = [pytest.mark.l3, pytest.mark.sabotage]


def test_a_small_suite_of_real_assertions_notices_every_defect(sabotage: Sabotage) -> None:
    """Each of the planted defects turns at least one test red, at an assertion that is about it."""
    ran = sabotage("test_real.py", "--quintet-sabotage-jobs=3")
    assert ran.code == 0, ran.text
    for defect in ALL:
        assert " noticed " in ran.line(defect.name), ran.text
    assert f"{len(ALL)} noticed, 0 unnoticed, 0 not exercised" in ran.text
    for words in (
        r"within: tool_executing .* came [2-5]\.\d+ s after .*, due within 2 s",
        r"pairs: tool_completed .* has no tool_executing before it",
        r"is a second ending of its agent",
        r"'step' is a required property",
        r"assert 'HEXLO' == 'HELLO'",
        r"assert 1000 == 4401",
        r"assert 200 == 401",
    ):
        assert re.search(words, ran.text), (words, ran.text)


def test_a_suite_of_mocks_is_told_that_it_proves_nothing(sabotage: Sabotage) -> None:
    """It is green, and no defect can turn it red: it speaks to no server."""
    ran = sabotage("test_worthless.py")
    assert ran.code == 1
    assert "2 tests in" in ran.text
    assert "2 speak to none" in ran.text
    assert "A suite that stays green whatever the server does proves nothing." in ran.text


def test_a_suite_that_speaks_and_does_not_ask_is_told_too(sabotage: Sabotage) -> None:
    """It meets defects and notices none; what met nothing is neither noticed nor not."""
    defects = ("event lost", "silent server", "token not checked")
    ran = sabotage("test_polite.py", *(f"--quintet-sabotage-only={name}" for name in defects))
    assert ran.code == 1
    assert "UNNOTICED" in ran.line("event lost")
    assert "UNNOTICED" in ran.line("silent server")
    assert "not exercised" in ran.line("token not checked")
    assert "stayed green: test_polite.py::test_a_job_can_be_started" in ran.text
    assert "proves nothing" in ran.text


def test_a_door_is_tried_with_the_key_that_another_test_has_shown(sabotage: Sabotage) -> None:
    """The test of a refusal shows no good credential itself; the defect takes the one of a test before it, and is noticed."""
    text = """
import httpx

def ask(backend, token):
    return httpx.get(backend + "/me", headers={"Authorization": token}, trust_env=False).status_code

def test_who_is_known_comes_in(backend, login):
    assert ask(backend, login("ann")) == 200

def test_who_is_not_stays_out(backend):
    assert ask(backend, "Bearer wrong") == 401
"""
    ran = sabotage("test_doors.py", "--quintet-sabotage-only=token not checked", files={"test_doors.py": text})
    assert ran.code == 0, ran.text
    assert "noticed         by 1 of 1" in ran.line("token not checked"), ran.text
    assert "test_doors.py::test_who_is_not_stays_out: " in ran.text


def test_a_suite_that_is_red_by_itself_learns_nothing(sabotage: Sabotage) -> None:
    """It is named before any defect is planted."""
    ran = sabotage("test_red.py", files={"test_red.py": "def test_red() -> None:\n    assert 1 == 2\n"})
    assert ran.code == 1
    assert "not green without any defect" in ran.text
    assert "test_red.py::test_red: assert 1 == 2" in ran.text


def test_a_test_that_never_comes_back_has_noticed_nothing(sabotage: Sabotage) -> None:
    """The pass is ended at its limit, the test is named, and its wait is what has to be mended."""
    text = """
from websockets.sync.client import connect

def test_waits(backend, login):
    with connect(backend.replace("http", "ws") + "/ws", additional_headers={"Authorization": login("ann")}, proxy=None) as ws:
        ws.send('{"say": "x"}')
        assert "agent_started" in ws.recv()
"""
    only = "--quintet-sabotage-only=silent server"
    ran = sabotage("test_waits.py", only, "--quintet-sabotage-limit=6", files={"test_waits.py": text})
    assert ran.code == 1
    assert "UNNOTICED" in ran.line("silent server")
    assert "test_waits.py::test_waits: never came back" in ran.text


def test_a_killed_sabotage_leaves_nothing(place: Path, tmp_path: Path) -> None:
    """After kill -9 its pass ends within two seconds, though its test never would, and its folder is gone."""
    text = "import time\nfrom pathlib import Path\n\ndef test_it():\n    Path('here').touch()\n    time.sleep(100)\n"
    (place / "test_it.py").write_text(text)
    words = ["-m", "pytest", "-p", "quintet.testing.plugin", "--quintet-sabotage", "test_it.py"]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "TMPDIR": str(tmp_path)}
    run = subprocess.Popen([sys.executable, *words], cwd=place, env=env, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not (place / "here").exists():
        assert time.monotonic() < until and run.poll() is None
        time.sleep(0.02)
    family = below(run.pid)
    assert family
    run.kill()
    run.wait()
    gone(family, 2.0)
    assert not list(tmp_path.glob("quintet-*"))


def test_a_defect_that_does_not_exist_is_an_error(sabotage: Sabotage) -> None:
    """With the names there are."""
    ran = sabotage("test_real.py", "--quintet-sabotage-only=event lots")
    assert ran.code == 4
    assert "no defect 'event lots'; there are: event lost," in ran.text

"""A start that succeeds: what it prints, what it keeps, how it ends."""

import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from command_line.commands import clean
from quintet.cli.development import FILE_NAME

pytestmark = pytest.mark.l3

LISTENING = re.compile(r"Quintet is listening on (http://localhost:\d+)\n")


@contextmanager
def serving(*arguments: str, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """A server on a free port; gives its address, and afterwards sees it end with 0 on SIGTERM."""
    command = [sys.executable, "-m", "quintet", "serve", "--port", "0", *arguments]
    with (folder / "errors.txt").open("w") as errors:
        process = subprocess.Popen(
            command, cwd=folder, env=clean(environment or {}), stdout=subprocess.PIPE, stderr=errors, text=True
        )
    timer = threading.Timer(30, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = LISTENING.fullmatch(line)
        assert found, f"{line!r} {(folder / 'errors.txt').read_text()}"
        yield found[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, (folder / "errors.txt").read_text()
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_development_keeps_its_secret_and_says_what_it_opens(tmp_path: Path) -> None:
    """`--dev` in an empty folder starts, says that sign-up is open, and finds the same secret of 0600 at the next start."""
    secrets = []
    for _ in range(2):
        with serving("--dev", "--data", "kept", folder=tmp_path):
            said = (tmp_path / "errors.txt").read_text()
        path = tmp_path / "kept" / FILE_NAME
        secrets.append(path.read_text())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "loopback" in said
        assert "Sign-up: open" in said
        assert path.read_text().strip() not in said
    assert secrets[0] == secrets[1]


@pytest.mark.parametrize(
    "arguments",
    [("--agents", "first_agents", "second_agents"), ("--agents", "first_agents", "--agents", "second_agents")],
)
def test_agents_come_from_the_current_folder(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Modules of the current folder are imported, several after one flag or one after each."""
    for name in ("first", "second"):
        text = (
            "from pathlib import Path\nfrom quintet import Turn, agent\n"
            f"Path('{name}.seen').touch()\n"
            f"@agent(description='{name}')\nasync def {name}(turn: Turn) -> None:\n    await turn.say('{name}')\n"
        )
        (tmp_path / f"{name}_agents.py").write_text(text)
    with serving("--dev", *arguments, folder=tmp_path):
        pass
    assert {path.name for path in tmp_path.glob("*.seen")} == {"first.seen", "second.seen"}

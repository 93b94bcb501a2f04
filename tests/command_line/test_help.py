"""What the command says about itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from command_line.commands import clean, quintet
from quintet import __version__

pytestmark = pytest.mark.l3


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    """`quintet --version` prints the version and ends with 0."""
    done = quintet("--version", folder=tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, f"quintet {__version__}")


def test_help_names_every_option_of_serve(tmp_path: Path) -> None:
    """`quintet serve --help` shows each option of the protocol with a word about it."""
    done = quintet("serve", "--help", folder=tmp_path)
    assert done.returncode == 0
    for option in ("--dev", "--host", "--port", "--data", "--database", "--agents", "--role", "--workers"):
        assert option in done.stdout


def test_no_command_shows_the_help(tmp_path: Path) -> None:
    """Typing the bare name teaches the commands; it is wrong usage."""
    done = quintet(folder=tmp_path)
    assert done.returncode == 2
    assert "serve" in done.stdout + done.stderr


def test_help_and_refusals_do_not_load_the_server(tmp_path: Path) -> None:
    """Neither help nor a refused start imports what only a running server needs, so they answer at once."""
    code = (
        "import sys\nfrom quintet.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: print(*sorted(sys.modules.keys() & set('fastapi sqlalchemy uvicorn alembic zxcvbn'.split())))"
    )
    for arguments in (["--help"], ["serve"]):
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=clean({}), capture_output=True, text=True, timeout=30, check=False
        )
        assert (done.stdout.splitlines() or [""])[-1] == "", done.stdout

"""A production database is brought to its version on purpose, never by a start."""

import secrets
from pathlib import Path

import pytest

from command_line.commands import quintet
from command_line.test_serve import serving

pytestmark = pytest.mark.l3

GOOD = {"QUINTET_SECRET_KEY": secrets.token_urlsafe(48), "QUINTET_PUBLIC_URL": "https://chat.example.com"}


def test_production_starts_after_migrating_and_not_before(tmp_path: Path) -> None:
    """A database that is not migrated stops the start (78) with the command that helps; after it the server starts."""
    done = quintet("serve", "--port", "0", folder=tmp_path, environment=GOOD)
    assert (done.returncode, done.stdout) == (78, "")
    assert "quintet migrate" in done.stderr.splitlines()[-1]
    for _ in range(2):
        done = quintet("migrate", folder=tmp_path, environment=GOOD)
        assert done.returncode == 0, done.stderr
    with serving(folder=tmp_path, environment=GOOD):
        refused = quintet("migrate", folder=tmp_path, environment=GOOD)
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr


def test_migrating_needs_right_settings(tmp_path: Path) -> None:
    """It reads the settings as `serve` does and ends with 78 where they are wrong."""
    done = quintet("migrate", folder=tmp_path, environment={**GOOD, "QUINTET_PORT": "eighty"})
    assert (done.returncode, done.stderr.split()[0]) == (78, "QUINTET_PORT")


def test_two_servers_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second start on the same data is refused in one line; the first goes on."""
    with serving("--dev", folder=tmp_path):
        done = quintet("serve", "--dev", "--port", "0", folder=tmp_path)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "--data" in done.stderr.splitlines()[-1]

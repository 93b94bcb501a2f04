"""The secret that `--dev` makes."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quintet.cli.development import FILE_NAME, kept_secret
from quintet.settings import SettingsError
from quintet.settings.secret import strong

pytestmark = pytest.mark.l2


def test_the_secret_is_strong_kept_and_of_its_owner_alone(tmp_path: Path) -> None:
    """A restart finds the same secret; the file is 0600 and its folder 0700, and no repository takes them up."""
    folder = tmp_path / "deep" / "data"
    secret = kept_secret(folder)
    assert strong(secret) == secret == kept_secret(folder)
    assert {path.name for path in folder.iterdir()} == {FILE_NAME, ".gitignore"}
    assert (folder / ".gitignore").read_text() == "*\n"
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_secret_that_others_could_read_is_closed_again(tmp_path: Path) -> None:
    """A copy restored with loose permissions does not stay so."""
    kept_secret(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o644)
    kept_secret(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_starts_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    """Whoever makes it first, everybody has the same one."""
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(kept_secret, [tmp_path / "data"] * 32))) == 1


def test_a_folder_that_cannot_be_used_is_a_fault(tmp_path: Path) -> None:
    """A file where the folder should be is a line with the fix, not a stack trace."""
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(SettingsError) as caught:
        kept_secret(tmp_path / "data")
    assert caught.value.exit_code == 78
    assert "--data" in str(caught.value)

"""A start that must not happen: exit code, one line per problem on standard error, no value shown."""

import secrets
import socket
from pathlib import Path

import pytest

from command_line.commands import quintet

pytestmark = pytest.mark.l3

KEY = secrets.token_urlsafe(48)
GOOD = {"QUINTET_SECRET_KEY": KEY, "QUINTET_PUBLIC_URL": "https://chat.example.com"}

BAD = {
    "missing secret": ({"QUINTET_PUBLIC_URL": "https://chat.example.com"}, ["QUINTET_SECRET_KEY"]),
    "short secret": ({**GOOD, "QUINTET_SECRET_KEY": "hT7-kP2_vX9qLm4R"}, ["QUINTET_SECRET_KEY"]),
    "placeholder": ({**GOOD, "QUINTET_SECRET_KEY": "please-change-this-secret-0192837465"}, ["QUINTET_SECRET_KEY"]),
    "repeated character": ({**GOOD, "QUINTET_SECRET_KEY": "q" * 64}, ["QUINTET_SECRET_KEY"]),
    "repeated text": ({**GOOD, "QUINTET_SECRET_KEY": "hT7-kP2_vX9q" * 4}, ["QUINTET_SECRET_KEY"]),
    "any origin": ({**GOOD, "QUINTET_ALLOWED_ORIGINS": "*"}, ["QUINTET_ALLOWED_ORIGINS"]),
    "plain http": ({**GOOD, "QUINTET_PUBLIC_URL": "http://plain.internal"}, ["QUINTET_PUBLIC_URL"]),
    "unknown name": ({**GOOD, "QUINTET_ALLOWED_ORIGIN": "https://foreign.internal"}, ["QUINTET_ALLOWED_ORIGIN"]),
    "port": ({**GOOD, "QUINTET_PORT": "eighty-seven"}, ["QUINTET_PORT"]),
    "all at once": (
        {
            "QUINTET_SECRET_KEY": "hunter2hunter2",
            "QUINTET_PUBLIC_URL": "http://plain.internal",
            "QUINTET_SINGUP": "sesame",
        },
        ["QUINTET_SECRET_KEY", "QUINTET_PUBLIC_URL", "QUINTET_SINGUP"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_settings_end_with_78_and_a_line_each(name: str, tmp_path: Path) -> None:
    """Exit 78, one line per problem with its variable, nothing on standard output, no value anywhere, nothing written."""
    environment, names = BAD[name]
    done = quintet("serve", "--port", "0", folder=tmp_path, environment=environment)
    assert done.returncode == 78, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.split()[0] for line in lines] == names
    shown = [value for value in environment.values() if len(value) > 1 and value in done.stderr]
    assert not [value for value in shown if value != GOOD["QUINTET_PUBLIC_URL"]]
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_settings_does_not_count_in_production(tmp_path: Path) -> None:
    """A forgotten `.env` gives production neither a secret nor a fault."""
    (tmp_path / ".env").write_text(f"QUINTET_SECRET_KEY={KEY}\nQUINTET_NONSENSE=1\n")
    done = quintet("serve", folder=tmp_path, environment={"QUINTET_PUBLIC_URL": "https://chat.example.com"})
    assert (done.returncode, len(done.stderr.splitlines())) == (78, 1)
    assert done.stderr.startswith("QUINTET_SECRET_KEY is not set.")


def test_development_does_not_leave_the_machine(tmp_path: Path) -> None:
    """Another host under `--dev` is refused, as an option (2) and as a variable (78), and no secret is made."""
    done = quintet("serve", "--dev", "--host", "0.0.0.0", folder=tmp_path)
    assert (done.returncode, done.stderr.split()[0]) == (2, "--host")
    done = quintet("serve", "--dev", folder=tmp_path, environment={"QUINTET_HOST": "0.0.0.0"})
    assert (done.returncode, done.stderr.split()[0]) == (78, "QUINTET_HOST")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["--port", "70000"], ["--role", "queen"], ["--agents"], ["--nonsense"], ["extra"], ["--database", "nowhere"]],
)
def test_wrong_usage_ends_with_2(arguments: list[str], tmp_path: Path) -> None:
    """An option that does not exist or cannot be so ends with 2 and no stack trace."""
    done = quintet("serve", *arguments, folder=tmp_path, environment=GOOD)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_data_folder_in_the_way_is_one_line(tmp_path: Path) -> None:
    """Where the data folder cannot be, the line names the setting and the fix."""
    (tmp_path / "file").write_text("in the way")
    done = quintet("serve", "--dev", "--data", "file", folder=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (78, 1)
    assert done.stderr.startswith("QUINTET_DATA ")


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    """Where the port is taken the last line names it and the fix, and no stack trace comes."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = quintet("serve", "--dev", "--port", str(port), folder=tmp_path)
    assert done.returncode in {1, 78}
    assert "Traceback" not in done.stderr
    assert str(port) in done.stderr.splitlines()[-1]
    assert "listening" not in done.stdout


def test_a_module_of_agents_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    """A misspelt module stops the start with its name."""
    done = quintet("serve", "--dev", "--port", "0", "--agents", "no_such_module_here", folder=tmp_path)
    assert done.returncode in {2, 78, 1}
    assert "Traceback" not in done.stderr
    assert "no_such_module_here" in done.stderr.splitlines()[-1]

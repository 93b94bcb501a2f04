"""What cannot be done is one line on standard error and an exit code, and changes nothing."""

import secrets
from pathlib import Path

import pytest

from administration.operator import Operator
from quintet.settings import Options, SettingsError, load
from support.server import Server

URL = "https://chat.example.com"


@pytest.mark.l3
@pytest.mark.parametrize(
    ("words", "environment", "code", "told"),
    [
        ("backup copy.db", {}, 78, "--data"),
        ("user list", {"QUINTET_DATABSE_URL": "x"}, 78, "QUINTET_DATABASE_URL"),
        ("user list --database nowhere", {}, 2, "--database"),
    ],
)
async def test_a_wrong_place_is_said_and_left_as_it_is(
    words: str, environment: dict[str, str], code: int, told: str, server: Server, tmp_path: Path
) -> None:
    """No database is made where there is none, and a misspelt setting does not lead to another one."""
    done = await Operator(server, tmp_path).run(*words.split(), environment=environment, anywhere=True)
    assert (done.code, done.out, len(done.said.splitlines())) == (code, "", 1), done.said
    assert told in done.said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.l3
@pytest.mark.parametrize(
    ("words", "given", "code", "told"),
    [
        ("user add someone.new@example.com", b"", 2, "password"),
        ("user disable nobody@example.com", b"", 1, "no such user"),
        ("backup .", b"", 2, "folder"),
    ],
)
async def test_what_is_refused_is_one_line(words: str, given: bytes, code: int, told: str, operator: Operator) -> None:
    """Wrong usage ends with 2, what the rules refuse with 1; nothing goes to standard output."""
    done = await operator.run(*words.split(), given=given)
    assert (done.code, done.out, len(done.said.splitlines())) == (code, "", 1), done.said
    assert told in done.said


@pytest.mark.l1
def test_administration_needs_neither_secret_nor_public_url() -> None:
    """What only a server needs may be missing in production; what is set must be right all the same."""
    made = secrets.token_urlsafe(48)

    def make(_: Path) -> str:
        return made

    assert load({}, None, Options(), make, serves=False).secrets[0] == made
    given = {"QUINTET_SECRET_KEY": secrets.token_urlsafe(48), "QUINTET_PUBLIC_URL": URL}
    settings = load(given, None, Options(), make, serves=False)
    assert settings.secrets[0] == given["QUINTET_SECRET_KEY"]
    for wrong in ({"QUINTET_SECRET_KEY": "short"}, {"QUINTET_PUBLIC_URL": "http://plain.internal"}, {"QUINTET_X": "1"}):
        with pytest.raises(SettingsError) as caught:
            load(wrong, None, Options(), make, serves=False)
        assert [fault.name for fault in caught.value.faults] == list(wrong)

"""No secret of the input in any output."""

import json
import re
from typing import Any

import pytest

from quintet.triage import analyse, as_data, markdown, masking
from quintet.triage.masking import mask
from triage.texts import Session

pytestmark = pytest.mark.l1

_CANARY = "Zq7rT9canaryX2mLw8"

SECRETS = [
    f"SECRET_KEY={_CANARY}",
    f"export DATABASE_PASSWORD={_CANARY}",
    f"password = '{_CANARY}'",
    f"password: {_CANARY}",
    f'{{"access_token": "{_CANARY}", "n": 1}}',
    f"{{'client_secret': '{_CANARY}'}}",
    f"login(user='bob', password='{_CANARY}')",
    f"Authorization: Bearer {_CANARY}",
    f"headers = {{'Authorization': 'Token {_CANARY}'}}",
    f"Cookie: session={_CANARY}; theme=dark",
    f"postgresql://bob:{_CANARY}@db.local:5432/app",
    f"redis://:{_CANARY}@localhost:6379/0",
    f"https://api.example.com/v1?api_key={_CANARY}&page=2",
    f"curl --token {_CANARY} https://x",
    f"auth=('bob', '{_CANARY}')",
    f"('x-api-key', '{_CANARY}')",
    f"host=db user=bob password={_CANARY} dbname=x",
    f"eyJhbGciOiJIUzI1NiJ9.{_CANARY}.sig{_CANARY}",
    f"ghp_{_CANARY}{_CANARY}",
    f"sk-proj-{_CANARY}",
    f"api_key=b'{_CANARY}'",
    f"AWS_SECRET_ACCESS_KEY: '{_CANARY}'",
    f"{_CANARY}{_CANARY}",
    f"jwt_secret\n  String should have at least 32 characters [type=string_too_short, input_value='{_CANARY}', input_type=str]",
    f"-----BEGIN RSA PRIVATE KEY-----\n{_CANARY}\n{_CANARY}\n-----END RSA PRIVATE KEY-----",
    f"'postgresql:/...{_CANARY}@db:5432/x'",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_in_no_output(secret: str) -> None:
    """Neither in the report nor in the data, wherever in the text it stood."""
    lines = [f"E   {line}" if at else f"E   ValueError: {line}" for at, line in enumerate(secret.split("\n"))]
    session = Session().fails("tests/test_a.py::test_x", "tests/test_a.py:3: in test_x", f"    {secret}", *lines)
    session.fails(f"tests/test_a.py::test_y[{secret.split(chr(10), maxsplit=1)[0]}]", f"E   assert {secret!r} == 1")
    session.header.append(f"rootdir: /srv/{secret}".replace("\n", " "))
    analysis = analyse(session.text)
    for output in (markdown(analysis), json.dumps(as_data(analysis)), repr(analysis)):
        assert _CANARY not in output
    assert mask(secret).count("\n") == secret.count("\n")


@pytest.mark.parametrize(
    "words",
    [
        "jwt.exceptions.InvalidSignatureError: Signature verification failed",
        "Invalid token: Signature has expired",
        "password cannot be longer than 72 bytes, truncate manually",
        "fixture 'auth_token' not found",
        "RuntimeError: SECRET_KEY is not set",
        "KeyError: 'API_TOKEN'",
        'SECRET = os.environ["SECRET_KEY"]',
        "token = create_token(user)",
        "http://localhost:8000/users/7",
        "assert response.status_code == 200",
        "tests/unit/test_tokens.py::TestTokenRefresh::test_refresh_token_is_rotated_after_use",
    ],
)
def test_words_about_secrets_stay(words: str) -> None:
    """The sentence that explains a failure must be readable."""
    assert mask(words) == words


class _Counted:
    """A pattern that notes how much it is given at once."""

    most = 0

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def sub(self, new: Any, text: str) -> str:
        """As a pattern's."""
        _Counted.most = max(_Counted.most, len(text))
        return self._pattern.sub(new, text)


def test_a_big_report_is_masked_a_little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern over megabytes would hold the interpreter for seconds, and everybody whom the server serves. Nothing is lost at the seams."""
    lines = [f"{'.' * 2000} postgres://me:hunter{number}@db and {'Aa1' * 12}" for number in range(100)]
    for name in ("_DSN", "_DSN_TOKEN", "_SCHEME", "_RANDOM"):
        monkeypatch.setattr(masking, name, _Counted(getattr(masking, name)))
    shown = mask("\n".join(lines))
    assert 0 < _Counted.most < 100_000
    assert shown.count("\n") == 99
    assert "hunter" not in shown
    assert "Aa1Aa1" not in shown

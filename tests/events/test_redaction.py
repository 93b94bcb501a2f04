"""What of a value may be shown: secrets by their keys, everything encodable, everything bounded, nothing raises."""

import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import re
import threading
import time
import uuid
from collections import OrderedDict, UserDict, deque, namedtuple
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.redaction import REDACTED, clean_text, mask_text, secret_values, show

pytestmark = pytest.mark.l1

SECRET_KEYS = [
    "password",
    "Password",
    "PASSWORD",
    "new_password",
    "newPassword",
    "new-password",
    "db.password",
    "user password",
    "passwd",
    "PASSWD",
    "root_passwd",
    "secret",
    "SECRET",
    "client_secret",
    "clientSecret",
    "Client-Secret",
    "APP_SECRET",
    "token",
    "TOKEN",
    "access_token",
    "accessToken",
    "access-token",
    "refreshToken",
    "bot_token",
    "id_TOKEN",
    "csrfToken",
    "oauth2Token",
    "X-Auth-Token",
    "authorization",
    "Authorization",
    "Proxy-Authorization",
    "proxyAuthorization",
    "HTTP_AUTHORIZATION",
    "cookie",
    "Cookie",
    "Set-Cookie",
    "set_cookie",
    "setCookie",
    "api_key",
    "apiKey",
    "API_KEY",
    "api-key",
    "X-Api-Key",
    "apikey",
    "APIKEY",
    "APIKey",
    "OPENAI_API_KEY",
    "openaiApiKey",
    "openai_apikey",
    "access_key",
    "accessKey",
    "AWS_ACCESS_KEY",
    "aws-access-key",
    "accesskey",
    "private_key",
    "privateKey",
    "PRIVATE-KEY",
    "sshPrivateKey",
    "privatekey",
]

OPEN_KEYS = [
    "max_tokens",
    "maxTokens",
    "input_tokens",
    "inputTokens",
    "output_tokens",
    "total_tokens",
    "tokens",
    "tokenizer",
    "token_count",
    "tokenCount",
    "token_type",
    "password_hint",
    "passwordless",
    "secretary",
    "secret_name",
    "cookies",
    "cookie_policy",
    "authorization_url",
    "author",
    "authorized",
    "key",
    "keys",
    "primary_key",
    "foreignKey",
    "sort_key",
    "monkey",
    "turkey",
    "apikeys",
    "api_keys",
    "keyboard",
    "private",
    "public_key",
    "privateKeyPath",
    "access",
    "text",
    "query",
    "name",
    "usage",
]


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_a_value_is_hidden_by_the_end_of_its_key(key: str) -> None:
    """However the key is written and however deep it lies, whatever the value is."""
    for value in ("s3cr3t", 5, ["s3cr3t"], {"inner": "s3cr3t"}, b"s3cr3t", object()):
        shown = show({"a": [{key: value, "b": 1}], key: value}).value
        assert shown == {"a": [{key: REDACTED, "b": 1}], key: REDACTED}


@pytest.mark.parametrize("key", OPEN_KEYS)
def test_other_keys_are_shown(key: str) -> None:
    """A text about tokens, counts of tokens and words that only contain a secret's name stay as they are."""
    value = {key: "the token is a password: secret", "n": 5}
    assert show(value).value == value


def test_text_is_never_redacted() -> None:
    """What is written is shown, also when it looks like a secret."""
    for text in ("password=hunter2", "Authorization: Bearer abc", '{"api_key": "x"}', "token"):
        assert show(text) == (text, False)
        assert show([text]).value == [text]


def test_a_very_long_key_is_judged_by_its_end() -> None:
    """A key longer than what is shown of it cannot hide its end."""
    key = "x" * 5000 + "_password"
    shown = show({key: "hunter2"}).value
    assert shown == {key[:200]: REDACTED}


@pytest.mark.parametrize(
    "key", [b"password", ("password",), ("api", "token"), re.compile("x"), 5, 1.5, True, dt.date(2026, 1, 1)]
)
def test_keys_that_are_no_text_are_shown_as_text(key: Any) -> None:
    """Any key becomes text, and is judged as text."""
    shown = show({key: "hunter2"}).value
    (name,) = shown
    assert isinstance(name, str)
    assert ("hunter2" in json.dumps(shown)) == ("password" not in name and "token" not in name)


class Names(enum.Enum):
    """An enumeration whose members are keys."""

    API_KEY = "k"


class Word(str):
    """Text that lies about itself."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("s3cr3t in the exception")


class Loud:
    """An object whose every way of being shown holds a secret or raises."""

    def __repr__(self) -> str:
        return "s3cr3t"

    def __str__(self) -> str:
        raise RuntimeError("s3cr3t")


class Getting:
    """An object that raises for every attribute."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"s3cr3t {name}")


class Answering:
    """An object that has every attribute, as a mock does."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kw: self


class Endless(Mapping[str, Any]):
    """A mapping that never ends."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __getitem__(self, key: str) -> Any:
        return self.value

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"password{number}" if self.value == "hidden" else f"k{number}_token"


class Broken(dict[str, Any]):
    """A dictionary that cannot be walked."""

    def items(self) -> Any:
        raise RuntimeError("s3cr3t")


class Meta(type):
    """Classes that raise for their name."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("s3cr3t")


class Nameless(metaclass=Meta):
    """An object of such a class."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError


@dataclasses.dataclass
class Login:
    """A data class with a secret."""

    user: str
    api_key: str
    note: str | None = None


class Packet(msgspec.Struct):
    """A Struct with a secret."""

    user: str
    password: str
    inner: Login | None = None


class Model(pydantic.BaseModel):
    """A pydantic model with secrets."""

    user: str
    accessToken: str  # noqa: N815 - as some services name it
    hidden: pydantic.SecretStr
    inner: dict[str, Any]


def test_known_kinds_of_objects_are_shown_by_their_fields() -> None:
    """Data classes, Structs and pydantic models are mappings of their fields, redacted like any."""
    login = Login("ann", "s3cr3t")
    assert show(login).value == {"user": "ann", "api_key": REDACTED}
    assert show(Packet("ann", "s3cr3t", login)).value == {
        "user": "ann",
        "password": REDACTED,
        "inner": {"user": "ann", "api_key": REDACTED},
    }
    model = Model(
        user="ann", accessToken="s3cr3t", hidden=pydantic.SecretStr("s3cr3t"), inner={"cookie": "s3cr3t", "n": 1}
    )
    shown = show({"m": [model]}).value
    assert shown["m"][0]["user"] == "ann"
    assert shown["m"][0]["accessToken"] == REDACTED
    assert shown["m"][0]["inner"] == {"cookie": REDACTED, "n": 1}
    assert "s3cr3t" not in json.dumps(shown)
    for mapping in (OrderedDict(token="s3cr3t"), MappingProxyType({"token": "s3cr3t"}), UserDict(token="s3cr3t")):
        assert show(mapping).value == {"token": REDACTED}
    assert show({Names.API_KEY: "s3cr3t"}).value == {"Names.API_KEY": REDACTED}


def test_plain_values_of_the_standard_library_are_readable() -> None:
    """Times, ids, decimals, enumerations and collections become what JSON has for them."""
    point = namedtuple("point", "x y")
    assert show(
        {
            "t": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
            "u": uuid.UUID(int=5),
            "d": decimal.Decimal("1.50"),
            "e": Names.API_KEY,
            "p": point(1, 2),
            "s": {1},
            "b": b"12345",
            "n": None,
            "l": [None, 1],
        }
    ).value == {
        "t": "2026-01-02T03:04:05Z",
        "u": "00000000-0000-0000-0000-000000000005",
        "d": "1.50",
        "e": "k",
        "p": [1, 2],
        "s": [1],
        "b": "<5 bytes>",
        "l": [None, 1],
    }


def test_numbers_that_json_has_not() -> None:
    """Not a number, the infinities and integers past 64 bits are shown as text, and no number is unbounded."""
    assert show([math.nan, math.inf, -math.inf]).value == ["nan", "inf", "-inf"]
    assert show([2**63, 2**64 - 1, -(2**63)]).value == [2**63, 2**64 - 1, -(2**63)]
    assert show([2**64, -(2**63) - 1]).value == [str(2**64), str(-(2**63) - 1)]
    assert len(show(10**400).value) <= 401
    assert show(10**5000).value in {"<int>", str(10**400)[:400]}


def cycle() -> dict[str, Any]:
    """A value that holds itself."""
    value: dict[str, Any] = {"password": "s3cr3t"}
    value["self"] = [value]
    return value


def deep(levels: int) -> Any:
    """Lists in lists."""
    value: Any = "s3cr3t"
    for _ in range(levels):
        value = [value]
    return value


HOSTILE: dict[str, Any] = {
    "cycle": cycle(),
    "deep list": deep(100_000),
    "deep dict": {"a": deep(40)},
    "huge number": 10**5000,
    "text with a raising __str__": Word("plain"),
    "key with a raising __str__": {Loud(): 1},
    "object with a telling repr": Loud(),
    "object that raises for attributes": Getting(),
    "object that answers everything": Answering(),
    "endless mapping of hidden values": Endless("x"),
    "endless mapping of absent values": Endless(None),
    "broken dict": Broken(a=1),
    "nameless class": Nameless(),
    "class": Model,
    "function": show,
    "generator": (number for number in range(3)),
    "exception": RuntimeError("s3cr3t"),
    "deque": deque(["s3cr3t"]),
    "released memory": memoryview(b"s3cr3t"),
    "lock": threading.Lock(),
    "wide": {str(number): number for number in range(50_000)},
    "many lists": [[] for _ in range(30_000)],
    "surrogates": {"\ud800": "\udfff\U0001f600"},
    "bytes": bytearray(b"s3cr3t"),
    "long text": "x" * 10_000_000,
}
HOSTILE["released memory"].release()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_are_shown_safely(name: str) -> None:
    """Nothing raises, nothing takes long, nothing is larger than asked, all of it is JSON, and no secret gets out of a repr or an exception."""
    for value in (HOSTILE[name], [HOSTILE[name]], {"k": HOSTILE[name]}):
        started = time.perf_counter()
        shown, _ = show(value)
        assert time.perf_counter() - started < 2
        encoded = msgspec.json.encode(shown)
        assert len(encoded) <= 24 * 1024
        assert b"s3cr3t" not in encoded
        json.loads(encoded)


def test_what_is_cut_says_so() -> None:
    """A value past its limit is a preview and marked; one within it is whole and not marked."""
    assert show({"a": "x" * 100}) == ({"a": "x" * 100}, False)
    for value in (["x"] * 30_000, "x" * 30_000, '"' * 20_000):
        shown, truncated = show(value)
        assert truncated
        assert isinstance(shown, str)
        assert 0 < len(shown) <= 2000
    shown, truncated = show("\U0001f600" * 1000, limit=600)
    assert (shown, truncated) == ("\U0001f600" * 100, True)
    assert show({"password": "x" * 100_000}) == ({"password": REDACTED}, False)
    assert "s3cr3t" not in str(show({"password": "s3cr3t", "a": "x" * 100_000}).value)


def test_a_long_object_keeps_its_keys() -> None:
    """A preview of an object is an object: who looks for an argument by its name finds it, shortened; short ones are whole."""
    shown, truncated = show({"text": "x" * 30_000, "times": 3, "api_key": "s3cr3t", "rows": [1] * 9_000})
    assert truncated
    assert (shown["times"], shown["api_key"]) == (3, REDACTED)
    assert shown["text"] == "x" * 299 + "…"
    assert shown["rows"].startswith("[1,1,1")
    many, _ = show({f"key {number}": "x" * 1000 for number in range(1000)})
    assert isinstance(many, str)


def test_a_value_is_not_changed() -> None:
    """What the agent itself gets is untouched."""
    value = {"password": "s3cr3t", "a": [{"token": "x"}]}
    show(value)
    assert value == {"password": "s3cr3t", "a": [{"token": "x"}]}


@given(st.text())
def test_cleaned_text_can_be_encoded(text: str) -> None:
    """Every text can be encoded afterwards; text without lone surrogates is the same."""
    text += "\ud800"
    cleaned = clean_text(text)
    cleaned.encode()
    assert len(cleaned) == len(text)
    assert clean_text(cleaned) == cleaned


things = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(SECRET_KEYS) | st.integers(), inner, max_size=4)
        | st.tuples(inner)
        | st.frozensets(st.integers())
    ),
    max_leaves=20,
)


def no_null_keys(value: Any) -> bool:
    """Whether no key anywhere is null."""
    if isinstance(value, dict):
        return all(item is not None and no_null_keys(item) for item in value.values())
    return not isinstance(value, list) or all(no_null_keys(item) for item in value)


@given(things)
def test_anything_is_shown_as_json_without_null_keys(value: Any) -> None:
    """Whatever comes: JSON within the limit, no key without a value, and showing it again changes nothing."""
    shown, truncated = show(value, limit=2000)
    encoded = msgspec.json.encode(shown)
    assert len(encoded) <= 2000
    assert no_null_keys(json.loads(encoded))
    if not truncated:
        assert show(shown, limit=2000) == (shown, False)


def test_a_text_is_masked_by_values_and_by_names() -> None:
    """Known values wherever they stand, the longest first; what stands after a secret name; a text about tokens is left as it is."""
    known = secret_values(
        {
            "OPENAI_API_KEY": "sk-1234567890",
            "DB_PASSWORD": "short",
            "HOME": "/home/somebody",
            "DATABASE_URL": "postgresql://app:p4ss-word@db.example/app",
            "SERVICE_TOKEN": "sk-1234567890-and-more",
        }
    )
    assert known == {"sk-1234567890", "p4ss-word", "sk-1234567890-and-more"}
    told = "no: sk-1234567890-and-more, sk-1234567890 at postgresql://app:p4ss-word@db.example/app"
    assert mask_text(told, known) == "no: [redacted], [redacted] at postgresql://app:[redacted]@db.example/app"
    for text, masked in {
        "api_key='abcdef', limit=5000": "api_key='[redacted]', limit=5000",
        '{"password": "hunter22", "user": "alice"}': '{"password": "[redacted]", "user": "alice"}',
        "Authorization: Bearer abc.def": "Authorization: [redacted]",
        "max_tokens=4096 is about tokens: many tokens": "max_tokens=4096 is about tokens: many tokens",
    }.items():
        assert mask_text(text, ()) == masked
    assert mask_text("a.=:" * 100_000, ())

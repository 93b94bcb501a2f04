"""What a client may say, and what is done with everything else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.protocol import (
    Ack,
    Auth,
    BadFrameError,
    Cancel,
    Follow,
    Ping,
    Send,
    SendMessage,
    parse,
)

pytestmark = pytest.mark.l1


def _raw(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def refused(payload: bytes) -> BadFrameError:
    """The refusal of a payload that must be refused."""
    with pytest.raises(BadFrameError) as caught:
        parse(payload)
    return caught.value


@pytest.mark.parametrize(
    ("payload", "frame"),
    [
        (_raw(do="auth", token="t"), Auth("t")),
        (_raw(id="a", do="auth", token="t"), Auth("t", "a")),
        (_raw(id="a", do="follow", after="$"), Follow("a", "$")),
        (_raw(id="a", do="cancel", run_id="r"), Cancel("a", "r")),
        (_raw(do="ack", cursor="c"), Ack("c")),
        (_raw(id="", do="ping"), Ping("")),
        (_raw(id="a", do="send", client_id="c", text="hello"), SendMessage("a", Send("c", "hello"))),
        (
            _raw(id="a", do="send", client_id="c", text="", thread_id="t", agent="g", attachments=["x", "y"]),
            SendMessage("a", Send("c", "", "t", "g", ("x", "y"))),
        ),
        (_raw(id="a", do="send", client_id="c", text="x", thread_id=None), SendMessage("a", Send("c", "x"))),
        (_raw(id="x" * 64, do="ping", colour={"deep": [1]}), Ping("x" * 64)),
    ],
)
def test_every_verb_is_read_and_unknown_fields_are_ignored(payload: bytes, frame: object) -> None:
    """Each verb has its fields; a newer client may say more than this server knows."""
    assert parse(payload) == frame


@pytest.mark.parametrize(
    ("payload", "frame_id"),
    [
        (b"", None),
        (b"hello", None),
        (b"[1]", None),
        (b'"x"', None),
        (b"null", None),
        (b"\xef\xbb\xbf{}", None),
        (b"{}", None),
        (_raw(id="a", do="dance"), "a"),
        (_raw(id="a", do=["ping"]), "a"),
        (_raw(id="a"), "a"),
        (_raw(do="ping"), None),
        (_raw(id=1, do="ping"), None),
        (_raw(id="x" * 65, do="ping"), None),
        (_raw(id="x" * 65, do="send", client_id="c", text="x"), None),
        (_raw(id="a", do="follow"), "a"),
        (_raw(id="a", do="follow", after=0), "a"),
        (_raw(id="a", do="follow", after=None), "a"),
        (_raw(id="a", do="cancel", run_id=["r"]), "a"),
        (_raw(do="ack"), None),
        (_raw(do="ack", cursor=1, id="a"), "a"),
        (_raw(do="auth"), None),
        (_raw(id="a", do="send", client_id="", text="x"), "a"),
        (_raw(id="a", do="send", client_id="c" * 65, text="x"), "a"),
        (_raw(id="a", do="send", client_id="c"), "a"),
        (_raw(id="a", do="send", client_id="c", text=["x"]), "a"),
        (_raw(id="a", do="send", client_id="c", text="x", attachments="x"), "a"),
        (_raw(id="a", do="send", client_id="c", text="x", attachments=[1]), "a"),
        (_raw(id="a", do="send", client_id="c", text="x", attachments=["x"] * 65), "a"),
        (_raw(id="a", do="send", client_id="c", text="x", agent=7), "a"),
    ],
)
def test_what_is_no_frame_is_a_bad_message_with_the_id_if_there_is_one(payload: bytes, frame_id: str | None) -> None:
    """The client can tell which of its frames was refused."""
    refusal = refused(payload)
    assert (refusal.code, refusal.id) == ("bad_message", frame_id)


@pytest.mark.parametrize(
    "hostile",
    ["NaN", "-Infinity", "1e999", "[" * 30_000 + "]" * 30_000, '{"x":' * 30_000 + "1" + "}" * 30_000, "9" * 5_000],
    ids=["NaN", "infinity", "beyond a double", "deep list", "deep object", "long integer"],
)
def test_what_would_choke_a_parser_is_a_bad_message_wherever_it_stands(hostile: str) -> None:
    """Also in a field that nobody reads: it is no JSON that everybody reads alike."""
    payload = f'{{"id":"a","do":"ping","x":{hostile}}}'.encode()
    assert refused(payload).code == "bad_message"


@pytest.mark.parametrize("half", [r"\ud800", r"\udfff", r"a\ud800b", r"\ud800\ud800", r"\udc00\ud800", r"\ud83d\u0041"])
@pytest.mark.parametrize(
    "form",
    [
        '{{"id":"a","do":"send","client_id":"c","text":"{0}"}}',
        '{{"id":"a","do":"send","client_id":"{0}","text":"x"}}',
        '{{"id":"a","do":"send","client_id":"c","text":"x","attachments":["{0}"]}}',
        '{{"id":"{0}","do":"ping"}}',
        '{{"id":"a","do":"cancel","run_id":"{0}"}}',
        '{{"do":"auth","token":"{0}"}}',
    ],
)
def test_half_a_character_is_kept_in_no_string(half: str, form: str) -> None:
    """A lone surrogate cannot be written as UTF-8: one in the log would poison it."""
    assert refused(form.format(half).encode()).code == "bad_message"


def test_a_text_is_measured_in_bytes() -> None:
    """32 KiB of UTF-8 are taken, one byte more is `too_long`, which is no bad message."""
    two = "é" * (16 * 1024)
    frame = parse(_raw(id="a", do="send", client_id="c", text=two))
    assert isinstance(frame, SendMessage)
    refusal = refused(_raw(id="a", do="send", client_id="c", text=two + "x"))
    assert (refusal.code, refusal.id) == ("too_long", "a")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    ["id", "do", "after", "cursor", "token", "run_id", "client_id", "text", "thread_id", "agent", "attachments"]
)
_VERBS = st.sampled_from(["auth", "follow", "send", "cancel", "ack", "ping"])


@given(st.dictionaries(_NAMES, _JSON | _VERBS, max_size=11))
def test_whatever_is_said_is_a_frame_or_a_refusal_and_can_be_written(fields: dict[str, Any]) -> None:
    """No third way: no other exception, and no string that cannot be encoded comes through."""
    try:
        frame = parse(json.dumps(fields).encode())
    except BadFrameError as refusal:
        assert refusal.code in {"bad_message", "too_long"}
        assert refusal.id is None or refusal.id == fields["id"]
    else:
        repr(frame).encode()


@given(st.binary(max_size=64))
def test_any_bytes_are_a_frame_or_a_refusal(payload: bytes) -> None:
    """The parser never fails in another way."""
    try:
        parse(payload)
    except BadFrameError as refusal:
        assert refusal.message

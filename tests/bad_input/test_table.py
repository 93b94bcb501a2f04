"""Bad input, one row each: what is sent to a real server, and what must come back, at once and without anything stored.

Rows that another test keeps against a real server are named with it at the end.
"""

import importlib
import json

import pytest

from bad_input.ground import (
    GOOD,
    Ground,
    Row,
    call,
    disabled,
    frame,
    later,
    register,
    renewal_by_another,
    revoked,
    token,
    upgrade,
    wire,
)
from quintet.testing.wire.frames import BINARY, TEXT, frame_bytes
from support.forging import UNCHANGED

pytestmark = pytest.mark.l3

BAD = (422, "bad_message")
TYPE = (415, "unsupported_media_type")
INVALID = (401, "invalid_token")
REGISTER = "/v1/auth/register"

PASSWORDS = {
    "14 characters": ("violet-anch-77", "password_too_short"),
    "14 characters, 28 bytes": ("é" * 14, "password_too_short"),
    "a common one": ("passwordpassword", "password_common"),
    "a common one with digits": ("password12345678", "password_common"),
    "300 characters": ("violet anchor " * 21 + "......", "password_too_long"),
    "100,000 characters": ("v" * 100_000, "password_too_long"),
    "NUL inside": ("violet anchor\0marmalade", "password_invalid"),
    "half a character inside": ("violet anchor \ud800 marmalade", "password_invalid"),
}
EMAILS = {
    "a line break": "someone@example.com\r\nBcc: other@example.com",
    "a line break at the end": "someone@example.com\n",
    "NUL": "some\0one@example.com",
    "an IP literal": "someone@[127.0.0.1]",
    "an IP address": "someone@127.0.0.1",
    "a look-alike domain": "someone@gооgle.com",
    "a look-alike name": "sоmeone@example.com",
    "65 characters before the @": "x" * 65 + "@example.com",
    "half a character": "some\ud800one@example.com",
    "nothing": "",
}
KINDS = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "text/plain",
    "text/json",
)
BODIES = {
    REGISTER: {"email": "someone@example.com", "password": GOOD},
    "/v1/auth/login": {"email": "someone@example.com", "password": GOOD},
    "/v1/auth/refresh": {"refresh_token": "qr_x"},
    "/v1/auth/password": {"current": GOOD, "new": GOOD},
    "/v1/threads": {"title": "mine"},
}
JSON = {
    "an open brace": "{",
    "100,000 deep": "[" * 100_000,
    "100,000 deep, inside": '{"email": ' + "[" * 100_000,
    "NaN": '{"email": NaN}',
    "Infinity": '{"email": -Infinity}',
    "a 5,000-digit integer": '{"email": ' + "9" * 5_000 + "}",
    "a list": "[]",
    "a number": "7",
    "null": "null",
    "not UTF-8": b'{"email": "\xff"}',
}
FRAMES = {
    "NaN": '{"id":"1","do":"ping","x":NaN}',
    "60,000 deep": '{"id":"1","do":"ping","x":' + "[" * 60_000,
    "30,000 deep, closed": '{"id":"1","do":"ping","x":' + "[" * 30_000 + "]" * 30_000 + "}",
    "a 5,000-digit integer": '{"id":"1","do":"ping","x":' + "9" * 5_000 + "}",
    "an unknown verb": '{"id":"1","do":"dance"}',
    "no id": '{"do":"ping"}',
}
TOKENS = (
    "none",
    "none, signature kept",
    "HS256 by our public key",
    "a foreign key under our kid",
    "an unknown kid",
    "its own key in the header",
    "another subject",
    "a longer life",
    "the last character changed",
    "a refresh token",
    "empty",
    "ours: typ JWT",
    "ours: no typ",
    "ours: typ of a refresh token",
    "ours: crit",
    "ours: another issuer",
    "ours: another audience",
    "ours: no exp",
    "ours: exp in a thousand years",
    "ours: exp beyond integers",
    "ours: exp as text",
    "ours: exp before iat",
    "ours: issued tomorrow",
    "ours: no session",
    "ours: another user's session",
)
TOO_BIG = json.dumps({"id": "p", "do": "ping", "pad": "x" * 70_000}).encode()

ROWS = [
    *(Row(f"password: {name}", register(password=word), (422, code)) for name, (word, code) in PASSWORDS.items()),
    *(Row(f"e-mail: {name}", register(email=text), (422, "email_invalid")) for name, text in EMAILS.items()),
    *(
        Row(
            f"a field too many: {name}",
            later(register(email=f"{name}.field@example.com", **{name: value}), sign_in),
            back,
        )
        for name, value in (("is_admin", True), ("role", "admin"), ("id", "usr_0"))
        for sign_in in [
            call("POST", "/v1/auth/login", {"email": f"{name}.field@example.com", "password": GOOD}, signed=False)
        ]
        for back in [[BAD, (401, "credentials_wrong")]]
    ),
    Row("a field too many: role of oneself", call("PATCH", "/v1/auth/me", {"name": "x", "role": "admin"}), BAD),
    Row("a field too many: id of a thread", call("POST", "/v1/threads", {"id": "thr_mine"}), BAD),
    *(
        Row(f"{kind.partition(';')[0]} to {path}", call("POST", path, body, kind=kind), TYPE)
        for path, body in BODIES.items()
        for kind in KINDS
    ),
    Row("no content type", call("POST", REGISTER, BODIES[REGISTER], kind=""), TYPE),
    *(Row(f"JSON: {name}", call("POST", REGISTER, text, signed=False), BAD) for name, text in JSON.items()),
    Row("JSON: two megabytes", call("POST", REGISTER, "x" * 2_000_000, signed=False), (413, "too_long")),
    Row("token: control, signed by our key and unchanged", token(UNCHANGED), {(200, "")}),
    *(Row(f"token: {name}", token(name), {INVALID}) for name in TOKENS),
    Row("token: none at all", call("GET", "/v1/auth/me", signed=False), (401, "unauthenticated")),
    Row("token: another scheme", call("GET", "/v1/auth/me", signed=False, Authorization="Basic eDp5"), INVALID),
    Row("token: in the address", call("GET", "/v1/auth/me?access_token=x", signed=False), (400, "token_in_url")),
    Row("token: of a session revoked a second ago", revoked, {(401, "session_revoked")}),
    Row(
        "a disabled user",
        disabled,
        {"refresh": (401, "session_revoked"), "sign-in": (403, "forbidden"), "access": (401, "session_revoked")},
    ),
    *(
        Row(f"refresh: {name}", call("POST", "/v1/auth/refresh", body, signed=False), back)
        for name, body, back in (
            ("never was", {"refresh_token": "qr_" + "A" * 43}, INVALID),
            ("100,000 characters", {"refresh_token": "q" * 100_000}, INVALID),
            ("half a character", {"refresh_token": "qr_\ud800"}, INVALID),
            ("a number", {"refresh_token": 7}, BAD),
            ("a field too many", {"refresh_token": "x", "user_id": "usr_1"}, BAD),
        )
    ),
    *(
        Row(f"Origin {origin}", upgrade(origin=origin), (403, "forbidden"))
        for origin in ("https://evil.example", "null", "http://localhost", "http://localhost:1")
    ),
    Row("a first frame that is not auth", wire(frame_bytes(TEXT, b'{"id":"1","do":"ping"}'), signed=False), 4505),
    Row("an unknown version", upgrade(subprotocol="quintet.v9"), (400, "unsupported_version")),
    Row("a token of another user as renewal", renewal_by_another, 4500),
    Row("a frame of 70,000 bytes", wire(frame_bytes(TEXT, TOO_BIG)), 1009),
    Row("invalid UTF-8", wire(frame_bytes(TEXT, b'{"id":"\xff"}')), 1007),
    Row("unmasked", wire(frame_bytes(TEXT, b"{}", masked=False)), 1002),
    Row("binary", wire(frame_bytes(BINARY, b"{}")), 1003),
    *(Row(f"frame: {name}", frame(text), ("bad_message", "pong")) for name, text in FRAMES.items()),
    Row("eleven bad frames", wire(*[frame_bytes(TEXT, b"bad")] * 11), 4505),
    Row("100 frames in a second", wire(*[frame_bytes(TEXT, b'{"id":"1","do":"ping"}')] * 100), 4005),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_row(ground: Ground, row: Row) -> None:
    """What is sent gets its documented answer, and leaves nothing behind."""
    assert await row.send(ground) == row.back


ELSEWHERE = {
    "200 sign-ins at once": "crowds.test_sign_ins:test_two_hundred_sign_ins_hold_the_loop_for_less_than_a_tenth_of_a_second",
    "two credentials, a megabyte of token": "accounts.test_hostile_l3:test_credentials_are_one_and_of_bearable_size",
    "refresh: five at once": "behaviours.test_revocation:test_five_refreshes_at_once_have_one_winner",
    "refresh: reuse later": "behaviours.test_revocation:test_reuse_of_a_refresh_token_ends_the_family_and_its_sockets",
    "no credential within 5 s": "behaviours.test_handshake:test_no_credential_has_five_seconds",
    "an unknown version of a browser": "behaviours.test_handshake:test_versions",
    "the 11th socket": "behaviours.test_handshake:test_the_eleventh_socket_is_the_one_refused",
    "every broken frame": "behaviours.test_frames:test_a_broken_frame_is_closed_with_its_code",
    "another user's things": "isolation.test_isolation:test_foreign_ids_answer_like_ids_that_never_were",
    "another user's cursor": "isolation.test_cursors:test_a_foreign_cursor_gets_resync",
    "another user's attachment": "attachments.test_attachments:test_files_are_their_owners_alone",
    "a start that must not happen": "command_line.test_refusals:test_bad_settings_end_with_78_and_a_line_each",
}


@pytest.mark.parametrize("kept", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_the_rows_kept_elsewhere_are_there(kept: str) -> None:
    """A row whose test was renamed or removed is missed here."""
    module, _, name = kept.partition(":")
    assert callable(getattr(importlib.import_module(module), name))

"""Every way in that is not a token of ours is shut."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from quintet.accounts.keys import KeyRing, Verifying
from quintet.accounts.sessions.tokens import Tokens, UnknownKeyError
from quintet.errors import QuintetError

pytestmark = pytest.mark.l1

NOW = 1_800_000_000
KEY = ECKey.generate_key("P-256")
OTHER = ECKey.generate_key("P-256")
RING = KeyRing("ours", KEY, {"ours": Verifying(KEY)})
TOKENS = Tokens("https://chat.example.org", "quintet", 600, 30)

HEADER = {"typ": "at+jwt", "alg": "ES256", "kid": "ours"}
CLAIMS: dict[str, Any] = {
    "iss": "https://chat.example.org",
    "aud": "quintet",
    "sub": "usr_1",
    "sid": "ses_1",
    "jti": "tok_1",
    "iat": NOW,
    "exp": NOW + 600,
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def part(value: Any) -> str:
    return b64(json.dumps(value).encode())


def signed(header: dict[str, Any] | None = None, claims: Any = None, key: ECKey = KEY) -> str:
    """A token with any header and claims, really signed."""
    text = f"{part(header or HEADER)}.{part(CLAIMS if claims is None else claims)}"
    algorithm = jws.JWSRegistry(algorithms=["ES256"]).get_alg("ES256")
    return f"{text}.{b64(algorithm.sign(text.encode(), key))}"


def hs256(key: bytes) -> str:
    text = f"{part({**HEADER, 'alg': 'HS256'})}.{part(CLAIMS)}"
    return f"{text}.{b64(hmac.digest(key, text.encode(), hashlib.sha256))}"


def tampered(at: int) -> str:
    parts = signed().split(".")
    middle = len(parts[at]) // 2
    parts[at] = parts[at][:middle] + ("A" if parts[at][middle] != "A" else "B") + parts[at][middle + 1 :]
    return ".".join(parts)


def verdict(token: str, now: int = NOW) -> str:
    try:
        TOKENS.verify(RING, token, now)
    except QuintetError as refusal:
        return refusal.code
    return "fine"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in CLAIMS.items() if key != name}


def test_our_own_token_is_genuine() -> None:
    """What is issued verifies, with the header and the claims that are published, and says whose it is."""
    token = TOKENS.issue(RING, "usr_1", "ses_1", "tok_1", NOW)
    header, claims, _ = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == HEADER
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == CLAIMS
    assert TOKENS.verify(RING, token, NOW).sub == "usr_1"


ATTACKS = {
    "empty": "",
    "a word": "token",
    "two parts": "a.b",
    "four parts": signed() + ".x",
    "a megabyte": "a" * 1_000_000,
    "a megabyte in parts": "a.b." + "c" * 1_000_000,
    "spaces around": f" {signed()} ",
    "a line break": signed() + "\n",
    "not ASCII": signed() + "é",
    "a lone surrogate": signed() + "\ud800",
    "not base64": "a.b.c",
    "a number for a header": f"{b64(b'7')}.{part(CLAIMS)}.AAAA",
    "a list for a header": f"{part(['alg', 'b64', 'crit'])}.{part(CLAIMS)}.AAAA",
    "nested a thousand deep": f"{b64(b'[' * 1_000)}.{part(CLAIMS)}.AAAA",
    "no signature": signed().rpartition(".")[0] + ".",
    "alg none": f"{part({**HEADER, 'alg': 'none'})}.{part(CLAIMS)}.",
    "alg none with a signature": f"{part({**HEADER, 'alg': 'none'})}.{signed().split('.', 1)[1]}",
    "alg None": f"{part({**HEADER, 'alg': 'None'})}.{part(CLAIMS)}.AAAA",
    "alg null": f"{part({**HEADER, 'alg': None})}.{part(CLAIMS)}.AAAA",
    "alg of a list": f"{part({**HEADER, 'alg': ['ES256']})}.{part(CLAIMS)}.AAAA",
    "HS256 keyed with our public key (PEM)": hs256(KEY.as_pem(private=False)),
    "HS256 keyed with our public key (JWK)": hs256(json.dumps(KEY.as_dict(private=False)).encode()),
    "HS256 keyed with nothing": hs256(b""),
    "a foreign key": signed(key=OTHER),
    "an unknown kid": signed({**HEADER, "kid": "theirs"}, key=OTHER),
    "no kid": signed({"typ": "at+jwt", "alg": "ES256"}),
    "a kid that is no text": signed({**HEADER, "kid": 7}),
    "a kid that is a path": signed({**HEADER, "kid": "../../dev/null"}),
    "the key in the header": signed({**HEADER, "jwk": OTHER.as_dict(private=False)}, key=OTHER),
    "the key's address in the header": signed({**HEADER, "jku": "https://evil.test/keys"}, key=OTHER),
    "a certificate in the header": signed({**HEADER, "x5c": ["AAAA"]}, key=OTHER),
    "an unknown crit": signed({**HEADER, "crit": ["exp"], "exp": 1}),
    "unencoded payload": signed({**HEADER, "b64": False, "crit": ["b64"]}),
    "typ JWT": signed({**HEADER, "typ": "JWT"}),
    "no typ": signed({"alg": "ES256", "kid": "ours"}),
    "another issuer": signed(claims={**CLAIMS, "iss": "https://evil.test"}),
    "another audience": signed(claims={**CLAIMS, "aud": "other"}),
    "a list of audiences": signed(claims={**CLAIMS, "aud": ["quintet", "other"]}),
    "no exp": signed(claims=without("exp")),
    "no iat": signed(claims=without("iat")),
    "no sub": signed(claims=without("sub")),
    "no sid": signed(claims=without("sid")),
    "no iss": signed(claims=without("iss")),
    "no aud": signed(claims=without("aud")),
    "an empty sub": signed(claims={**CLAIMS, "sub": ""}),
    "exp in a thousand years": signed(claims={**CLAIMS, "exp": NOW + 31_536_000_000}),
    "exp a second too far": signed(claims={**CLAIMS, "exp": NOW + 601}),
    "exp beyond integers": signed(claims={**CLAIMS, "exp": 10**400}),
    "exp as text": signed(claims={**CLAIMS, "exp": str(NOW + 600)}),
    "exp before iat": signed(claims={**CLAIMS, "exp": NOW - 1}),
    "exp infinite": signed(claims={**CLAIMS, "exp": float("inf")}),
    "exp true": signed(claims={**CLAIMS, "exp": True}),
    "issued in the future": signed(claims={**CLAIMS, "iat": NOW + 31, "exp": NOW + 600}),
    "claims that are a list": signed(claims=["iss"]),
    "tampered header": tampered(0),
    "tampered claims": tampered(1),
    "tampered signature": tampered(2),
}


@pytest.mark.parametrize("token", ATTACKS.values(), ids=ATTACKS.keys())
def test_what_is_not_our_token_is_refused_at_once(token: str) -> None:
    """Every known attack on signed tokens: `invalid_token`, no exception, a millisecond or so."""
    begun = time.thread_time()
    assert verdict(token) == "invalid_token"
    assert time.thread_time() - begun < 0.05


def test_an_unknown_key_is_told_apart_inside() -> None:
    """So that a key made by another server can be looked up, which a wrong signature must never cause."""
    with pytest.raises(UnknownKeyError):
        TOKENS.verify(RING, ATTACKS["an unknown kid"], NOW)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOW - 31, "invalid_token"),
        (NOW - 30, "fine"),
        (NOW, "fine"),
        (NOW + 600, "fine"),
        (NOW + 629, "fine"),
        (NOW + 630, "token_expired"),
        (NOW + 10**9, "token_expired"),
    ],
)
def test_a_token_has_its_time(now: int, expected: str) -> None:
    """Ten minutes, and thirty seconds of difference between clocks on either side."""
    assert verdict(signed(), now) == expected


def test_no_character_of_a_token_can_be_changed() -> None:
    """Not even the last one, whose low bits a careless decoder drops."""
    token = TOKENS.issue(RING, "usr_1", "ses_1", "tok_1", NOW)
    for at in range(len(token)):
        other = "A" if token[at] != "A" else "Q"
        assert verdict(token[:at] + other + token[at + 1 :]) == "invalid_token", f"character {at}"


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda data: f"{b64(data)}.{part(CLAIMS)}.AAAA"))
@settings(max_examples=300, deadline=None)
def test_nothing_a_stranger_sends_is_more_than_refused(token: str) -> None:
    """Any text at all, and any header at all, is `invalid_token` and never another failure."""
    assert verdict(token) == "invalid_token"

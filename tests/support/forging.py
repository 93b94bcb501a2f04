"""Access tokens that must open nothing: by somebody who has a real one and our public key, and, worse, by somebody who has our key."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey

from quintet.accounts import Secrets, keys
from quintet.sources import Sources
from quintet.store import open_store
from quintet.testing.accounts.account import Account
from support.server import Server

__all__ = ["UNCHANGED", "forged_tokens", "misused_tokens", "part", "read_part", "signing_key"]

UNCHANGED = "ours: unchanged"
"""The one that opens: without it the others could be refused for a fault of the test."""


def part(value: Any) -> str:
    """A part of a token that says `value`."""
    return _base64url(json.dumps(value).encode())


def read_part(text: str) -> dict[str, Any]:
    """What a part of a token says."""
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return told


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def forged_tokens(account: Account, public: dict[str, Any]) -> dict[str, str]:
    """The known tricks without our private key. `public` is the key as it is published."""
    header, claims, signature = account.access_token.split(".")
    head, said = read_part(header), read_part(claims)
    ours, theirs = ECKey.import_key(public), ECKey.generate_key("P-256")

    def by(key: ECKey, **changes: Any) -> str:
        return jwt.encode({**head, **changes}, said, key, algorithms=["ES256"])

    text = f"{part({**head, 'alg': 'HS256'})}.{claims}"
    mac = hmac.digest(ours.as_pem(private=False), text.encode(), hashlib.sha256)
    return {
        "none": f"{part({**head, 'alg': 'none'})}.{claims}.",
        "none, signature kept": f"{part({**head, 'alg': 'none'})}.{claims}.{signature}",
        "HS256 by our public key": f"{text}.{_base64url(mac)}",
        "a foreign key under our kid": by(theirs),
        "an unknown kid": by(theirs, kid="theirs"),
        "its own key in the header": by(theirs, jwk=theirs.as_dict(private=False)),
        "another subject": f"{header}.{part({**said, 'sub': 'usr_another'})}.{signature}",
        "a longer life": f"{header}.{part({**said, 'exp': said['exp'] + 1})}.{signature}",
        "the last character changed": account.access_token[:-1] + ("A" if signature[-1] != "A" else "Q"),
        "a refresh token": account.refresh_token,
        "empty": '""',
    }


def misused_tokens(account: Account, key: ECKey) -> dict[str, str]:
    """Signed by our own key, and for something else, for somebody else's eyes, or for another time; and one that is good."""
    header, claims, _ = account.access_token.split(".")
    head, said = read_part(header), read_part(claims)
    now = int(time.time())

    def by_us(wrong_head: dict[str, Any], wrong_claims: dict[str, Any]) -> str:
        kept = [{k: v for k, v in whole.items() if v is not None} for whole in (head | wrong_head, said | wrong_claims)]
        text = f"{part(kept[0])}.{part(kept[1])}"
        algorithm = jws.JWSRegistry(algorithms=["ES256"]).get_alg("ES256")
        return f"{text}.{_base64url(algorithm.sign(text.encode(), key))}"

    return {
        UNCHANGED: by_us({}, {}),
        "ours: typ JWT": by_us({"typ": "JWT"}, {}),
        "ours: no typ": by_us({"typ": None}, {}),
        "ours: typ of a refresh token": by_us({"typ": "rt+jwt"}, {}),
        "ours: crit": by_us({"crit": ["exp"]}, {}),
        "ours: another issuer": by_us({}, {"iss": "https://evil.example"}),
        "ours: another audience": by_us({}, {"aud": "other"}),
        "ours: no exp": by_us({}, {"exp": None}),
        "ours: exp in a thousand years": by_us({}, {"exp": now + 31_536_000_000}),
        "ours: exp beyond integers": by_us({}, {"exp": 10**400}),
        "ours: exp as text": by_us({}, {"exp": str(said["exp"])}),
        "ours: exp before iat": by_us({}, {"exp": said["iat"] - 1}),
        "ours: issued tomorrow": by_us({}, {"iat": now + 86_400, "exp": now + 87_000}),
        "ours: no session": by_us({}, {"sid": None}),
        "ours: another user's session": by_us({}, {"sub": "usr_another"}),
    }


async def signing_key(server: Server, secret: str, copy: Path) -> ECKey:
    """The private key, as somebody would take it who has the database and the secret."""
    store = open_store(f"sqlite:///{server.database(copy)}")
    await store.start()
    try:
        return (await keys.load(store, Sources(), Secrets(secret), keys.Periods.of(600, 0, 90))).signing
    finally:
        await store.close()

"""Which protocol and whose token an upgrade request asks for. Pure.

1. One credential or none. Two are refused even when they are equal: which of them counts would be a guess.
2. A token in the address is refused unread: proxies, histories and logs keep addresses.
3. A credential that cannot be read is a wrong one (`WRONG`), never an absent one.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from quintet.errors import QuintetError
from quintet.protocol import BEARER, SUBPROTOCOL

__all__ = ["WRONG", "Choice", "choose", "offered_in", "token_in"]

WRONG: Final = ""  # stands for a credential that is none: no issuer gives out the empty token

_TOKEN_NAMES: Final = frozenset(
    {"access_token", "auth", "authorization", "bearer", "id_token", "jwt", "refresh_token", "token"}
)
_FIELDS = 100


class Choice(NamedTuple):
    """`subprotocol`: what the answer echoes, if anything. `token`: None when no credential came. `supported`: we speak it."""

    subprotocol: str | None
    token: str | None
    supported: bool


def offered_in(headers: Sequence[str]) -> list[str]:
    """The subprotocols in the `Sec-WebSocket-Protocol` headers, in order."""
    return [name for header in headers for name in (part.strip() for part in header.split(",")) if name]


def token_in(query: str) -> bool:
    """Whether the query of an address holds a token, by its name or by its looks (a JWT)."""
    try:
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:  # too many to look at: who knows
        return True
    return any(name.lower() in _TOKEN_NAMES or _looks_like_token(value) for name, value in fields)


def _looks_like_token(value: str) -> bool:
    return (value.startswith("eyJ") and value.count(".") == 2) or value.startswith("qk_")


def choose(offered: Sequence[str], authorizations: Sequence[str]) -> Choice:
    """What the client asks to speak and the one credential it brings.

    Raises:
        QuintetError: `ambiguous_credentials`.
    """
    names = [name for name in offered if not name.startswith(BEARER)]
    tokens = [_from_subprotocol(name) for name in offered if name.startswith(BEARER)]
    tokens += [_from_header(value) for value in authorizations]
    if len(tokens) > 1:
        raise QuintetError("ambiguous_credentials")
    token = tokens[0] if tokens else None
    if not offered:
        return Choice(None, token, supported=True)
    if SUBPROTOCOL in names:
        return Choice(SUBPROTOCOL, token, supported=True)
    return Choice(names[0] if names else None, token, supported=False)


def _from_header(value: str) -> str:
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else WRONG


def _from_subprotocol(name: str) -> str:
    text = name.removeprefix(BEARER)
    if not text.isascii() or "=" in text:
        return WRONG
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return raw.decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return WRONG

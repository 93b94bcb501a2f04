"""Whose is what: the oracle of the canary machine, which looks at bytes alone.

1. An id that the server made belongs to the user it reached first; that it reaches a second one is a leak, whoever saw it first.
2. Every user writes words nobody else has. They all hold the user's one canary, which is looked for in any case of letters.
"""

import re
import secrets

__all__ = ["KINDS", "Belongings"]

_ID = re.compile(
    rb"\b(?:([a-z]{3})_[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{12}(?=\.\d+\.)|qr_[\w-]{30,}|eyJ[\w-]+\.[\w-]+\.[\w-]+)"
)
KINDS = frozenset({b"usr", b"ses", b"thr", b"run", b"msg", b"agt", b"att", b"con", b"req"})


class Belongings:
    """Who received which id, and whose canary is which."""

    def __init__(self) -> None:
        self.kinds: set[bytes] = set()
        self._owner: dict[bytes, str] = {}
        self._canaries: dict[str, bytes] = {}

    @property
    def count(self) -> int:
        """How many ids reached anybody."""
        return len(self._owner)

    def introduce(self, name: str) -> str:
        """The canary of a new user."""
        canary = f"canary{secrets.token_hex(10)}"
        self._canaries[name] = canary.encode()
        return canary

    def judge(self, name: str, raw: bytes, where: str) -> None:
        """What reached this user is this user's. Raises AssertionError if any of it is another's."""
        folded = raw.lower()
        for other, canary in self._canaries.items():
            assert other == name or canary not in folded, _leak(name, other, "the canary", where, raw)
        for found in _ID.finditer(raw):
            other = self._owner.setdefault(found[0], name)
            assert other == name, _leak(name, other, found[0].decode(), where, raw)
            self.kinds.add(found[1] or b"")

    def none_in(self, text: bytes) -> None:
        """Nobody's canary and nobody's credential is in the server's log. Raises AssertionError."""
        folded = text.lower()
        found = [name for name, canary in self._canaries.items() if canary in folded]
        assert not found, f"the server's log has the canaries of {found}"
        secret = [token for token in self._owner if token.startswith((b"qr_", b"eyJ")) and token in text]
        assert not secret, f"the server's log has {len(secret)} tokens"


def _leak(name: str, other: str, what: str, where: str, raw: bytes) -> str:
    return f"{name} received what belongs to {other}: {what}, in {where}:\n{raw[:2000].decode(errors='replace')}"

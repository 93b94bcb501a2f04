"""What is kept encrypted under the server's secret, and how the secret is changed without anybody noticing.

1. Everything new is sealed under the newest secret. What an older one sealed still opens, until that one is taken away.
2. A key derived for one purpose opens nothing of another, and a sealed text opens only under the name it was sealed for.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

__all__ = ["NONCE_BYTES", "Box", "Opened", "Secrets", "derive"]

NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Secrets:
    """The server's secrets. Seals and derives with `newest`; `older` still open what they have sealed, the newer first."""

    newest: str
    older: tuple[str, ...] = ()

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """A 32-byte key for one purpose from each secret, the newest first."""
        return tuple(_derived(secret, purpose) for secret in (self.newest, *self.older))


@dataclass(frozen=True, slots=True)
class Opened:
    """The text that was sealed. `outdated`: by an older secret, so it should be sealed again."""

    text: bytes
    outdated: bool


class Box:
    """Seals and opens for one purpose (AES-256-GCM)."""

    def __init__(self, secrets: Secrets, purpose: str) -> None:
        self._ciphers = tuple(AESGCM(key) for key in secrets.derived(purpose))

    def seal(self, text: bytes, name: str, nonce: bytes) -> bytes:
        """The sealed text. `name` says whose it is; `nonce` is `NONCE_BYTES` of chance, never used twice."""
        return nonce + self._ciphers[0].encrypt(nonce, text, name.encode())

    def open(self, sealed: bytes, name: str) -> Opened | None:
        """What was sealed for `name`; None where no secret of ours did it."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        for place, cipher in enumerate(self._ciphers):
            try:
                return Opened(cipher.decrypt(nonce, rest, name.encode()), outdated=place > 0)
            except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
                continue
        return None


def derive(secrets: Secrets, purpose: str) -> bytes:
    """The key for one purpose from the newest secret: for what may be forgotten when the secret changes."""
    return secrets.derived(purpose)[0]


def _derived(secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"quintet {purpose}".encode()).derive(secret.encode())

"""An authenticator in software: makes passkeys and answers with them, as a browser would hand it on. And badly, when a test asks for it."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

__all__ = ["Authenticator"]

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One passkey. `origin` is where its browser believes to be; `counts` False is an authenticator that keeps no count."""

    origin: str
    counts: bool = True
    verifies: bool = True
    count: int = 0
    name: str = "localhost"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user: bytes = b""

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """The new passkey for these creation options."""
        self.user = _decoded(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
        attested = bytes(range(1, 17)) + len(self.id).to_bytes(2) + self.id + public
        data = self._data(_ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        answer = {
            "clientDataJSON": _encoded(client),
            "attestationObject": _encoded(attestation),
            "transports": ["internal", "hybrid"],
        }
        return self._credential(answer)

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to these request options."""
        data, client = self._data(0), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        answer = {
            "clientDataJSON": _encoded(client),
            "authenticatorData": _encoded(data),
            "signature": _encoded(signature),
            "userHandle": _encoded(self.user),
        }
        return self._credential(answer)

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        name = _encoded(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def _data(self, flags: int) -> bytes:
        self.count += self.counts
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0)
        return sha256(self.name.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

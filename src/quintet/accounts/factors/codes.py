"""The codes of a second factor, as plain functions of a transaction.

1. A code of an authenticator (RFC 6238: six digits, 30 s) is good for its own step and one beside it, and once: the last step that
   was used is kept, and none up to it is good any more.
2. A recovery code has 80 bits of chance, so its digest needs no key; it is good once, and ten of them are made at a time.
3. The authenticator's secret lies sealed under the server's secret; where an older one sealed it, using it seals it again.
"""

from base64 import b32encode
from hashlib import sha256
from typing import Literal, NamedTuple

from pyotp import TOTP

from quintet.accounts.keys.sealing import Box
from quintet.store import Tx

__all__ = [
    "CODES",
    "CODE_BYTES",
    "SECRET_BYTES",
    "Factor",
    "Used",
    "add_codes",
    "base32",
    "begin",
    "confirm",
    "factor_of",
    "is_on",
    "left",
    "recovery_code",
    "remove",
    "use",
]

SECRET_BYTES = 20  # RFC 4226, 4: 160 bits
CODE_BYTES = 10
CODES = 10
STEP_MS = 30_000
DRIFT = 1

Used = Literal["totp", "recovery"]

_BEGIN = (
    "INSERT INTO totps (user_id, sealed_secret, created_at) VALUES (?, ?, ?) ON CONFLICT (user_id) DO UPDATE"
    " SET sealed_secret = excluded.sealed_secret, created_at = excluded.created_at, last_step = 0"
)
_FIND = "SELECT sealed_secret, confirmed_at, last_step FROM totps WHERE user_id = ?"
_SPEND = "UPDATE recovery_codes SET used_at = ? WHERE user_id = ? AND digest = ? AND used_at IS NULL RETURNING digest"


class Factor(NamedTuple):
    """A user's authenticator. `confirmed_at` is absent until its first code was given: before that nobody is asked for one."""

    sealed_secret: bytes
    confirmed_at: int | None
    last_step: int


def factor_of(tx: Tx, user_id: str) -> Factor | None:
    """The authenticator, also one that is not confirmed."""
    row = tx.sql(_FIND, (user_id,)).fetchone()
    return None if row is None else Factor(*row)


def is_on(tx: Tx, user_id: str) -> bool:
    """Whether a sign-in by password has to bring a code."""
    found = factor_of(tx, user_id)
    return found is not None and found.confirmed_at is not None


def begin(tx: Tx, user_id: str, sealed_secret: bytes, now_ms: int) -> bool:
    """Remember an authenticator that is being added. False where one is on."""
    if is_on(tx, user_id):
        return False
    tx.sql(_BEGIN, (user_id, sealed_secret, now_ms))
    return True


def confirm(tx: Tx, user_id: str, now_ms: int) -> None:
    """From now on sign-ins ask for it."""
    tx.sql("UPDATE totps SET confirmed_at = ? WHERE user_id = ?", (now_ms, user_id))


def remove(tx: Tx, user_id: str) -> bool:
    """Take the authenticator and the recovery codes away. False where none was on."""
    was_on = is_on(tx, user_id)
    tx.sql("DELETE FROM totps WHERE user_id = ?", (user_id,))
    tx.sql("DELETE FROM recovery_codes WHERE user_id = ?", (user_id,))
    return was_on


def base32(secret: bytes) -> str:
    """A secret as authenticators take it."""
    return b32encode(secret).decode("ascii").rstrip("=")


def recovery_code(random: bytes) -> str:
    """The code of ten random bytes, in groups that can be read aloud."""
    text = base32(random).lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def add_codes(tx: Tx, user_id: str, codes: list[str]) -> None:
    """Put new recovery codes in the place of all earlier ones."""
    tx.sql("DELETE FROM recovery_codes WHERE user_id = ?", (user_id,))
    rows = [(user_id, _digest(user_id, _plain(code))) for code in codes]
    tx.many("INSERT INTO recovery_codes (user_id, digest) VALUES (?, ?)", rows)


def left(tx: Tx, user_id: str) -> int:
    """How many recovery codes have not been used."""
    query = "SELECT count(*) FROM recovery_codes WHERE user_id = ? AND used_at IS NULL"
    return int(tx.sql(query, (user_id,)).fetchone()[0])


def use(tx: Tx, box: Box, user_id: str, code: str, now_ms: int, nonce: bytes) -> Used | None:
    """Use a code up; None for one that is wrong or was used. `nonce` is for sealing the secret again."""
    plain = _plain(code)
    if len(plain) == 6 and plain.isascii() and plain.isdigit():
        return "totp" if _use_step(tx, box, user_id, plain, now_ms, nonce) else None
    spent = tx.sql(_SPEND, (now_ms, user_id, _digest(user_id, plain))).fetchone()
    return "recovery" if spent is not None and is_on(tx, user_id) else None


def _use_step(tx: Tx, box: Box, user_id: str, code: str, now_ms: int, nonce: bytes) -> bool:
    factor = factor_of(tx, user_id)
    secret = box.open(factor.sealed_secret, user_id) if factor is not None else None
    if factor is None or secret is None:
        return False
    step = _step_of(TOTP(base32(secret.text)), code, now_ms)
    if step is None or step <= factor.last_step:
        return False
    sealed = box.seal(secret.text, user_id, nonce) if secret.outdated else factor.sealed_secret
    tx.sql("UPDATE totps SET last_step = ?, sealed_secret = ? WHERE user_id = ?", (step, sealed, user_id))
    return True


def _step_of(totp: TOTP, code: str, now_ms: int) -> int | None:
    """The step that the code is of; the newest first, so that what counts as used is never less than it was."""
    here = now_ms // STEP_MS
    fitting = [step for step in range(here - DRIFT, here + DRIFT + 1) if totp.generate_otp(step) == code]
    return max(fitting, default=None)


def _plain(code: str) -> str:
    """Without what people and programs put between the characters."""
    return "".join(code.split()).replace("-", "").lower()


def _digest(user_id: str, plain: str) -> bytes:
    return sha256(f"{user_id}\n{plain}".encode("utf-8", "surrogatepass")).digest()

"""Where time, randomness and ids come from. They are arguments of the core, so that a test can own them."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Sources"]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(12)}"


@dataclass(frozen=True, slots=True)
class Sources:
    """Time and chance, as functions.

    `now_ms` is wall-clock time in milliseconds since 1970 (informational, never used for order), `monotonic` seconds that never go
    back, `new_id` an unguessable id with a readable prefix, `token_bytes` cryptographic randomness.
    """

    now_ms: Callable[[], int] = _now_ms
    monotonic: Callable[[], float] = time.monotonic
    new_id: Callable[[str], str] = _new_id
    token_bytes: Callable[[int], bytes] = secrets.token_bytes

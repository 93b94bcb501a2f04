"""A signing key's life: next → active → retiring → gone.

1. There is one key that signs, and one that is published before it does: who keeps our keys for a while never meets an unknown one.
2. The next key signs only after it was published as long as the published keys may be kept. `at_once` skips that: for a stolen key.
3. A key that retires verifies as long as a token lives that it may have signed, and no longer.
4. Every step is decided in the transaction that makes it: of two who rotate at once the second finds a next key that is too young.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from quintet.accounts.keys import rows
from quintet.accounts.keys.rows import SigningKey
from quintet.store import Tx

__all__ = ["KEPT_SECONDS", "Periods", "TooYoungError", "age", "is_due", "rotate"]

KEPT_SECONDS = 300  # others may keep our published keys for so long
NOTICED_SECONDS = 10  # a running server has looked at the table again by then


@dataclass(frozen=True, slots=True)
class Periods:
    """In milliseconds: how long a retiring key verifies, and after how long the active key is replaced (0: by hand only)."""

    retiring: int
    active: int = 0
    published: int = (KEPT_SECONDS + NOTICED_SECONDS) * 1000

    @classmethod
    def of(cls, access_seconds: int, leeway_seconds: int, rotation_days: int = 0) -> "Periods":
        """Those of tokens that live so long."""
        retiring = (access_seconds + leeway_seconds + NOTICED_SECONDS) * 1000
        return cls(retiring, rotation_days * 24 * 60 * 60 * 1000)


class TooYoungError(Exception):
    """The next key has not been published long enough; `seconds` are to wait."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"the next key may sign in {seconds} s")


def rotate(
    tx: Tx, fresh: SigningKey, now_ms: int, periods: Periods, *, at_once: bool = False, drop: bool = False
) -> None:
    """Let the next key sign, the active one retire, and `fresh` be the next. With `drop` all of them are gone and `fresh` signs.

    Raises:
        TooYoungError: the next key has not been published long enough, and `at_once` is off.
    """
    found = rows.all_of(tx)
    if drop:
        _drop(tx, found, fresh, now_ms)
        return
    successor = next((row for row in found if row.state == "next"), None)
    if successor is not None and not at_once:
        waits = successor.changed_at + periods.published - now_ms
        if waits > 0:
            raise TooYoungError(-(-waits // 1000))
    for row in found:
        if row.state == "active":
            rows.move(tx, row.kid, "retiring", now_ms)
    if successor is not None:
        rows.move(tx, successor.kid, "active", now_ms)
        rows.add(tx, fresh)
    else:
        rows.add(tx, fresh._replace(state="active"))


def _drop(tx: Tx, found: Sequence[SigningKey], fresh: SigningKey, now_ms: int) -> None:
    """Whoever got at one key got at all: the stolen one may be retiring by now, the next one would sign. The next is made when they are loaded."""
    for row in found:
        if row.state != "gone":
            rows.move(tx, row.kid, "gone", now_ms)
    rows.add(tx, fresh._replace(state="active"))


def age(tx: Tx, fresh: SigningKey, now_ms: int, periods: Periods) -> None:
    """Take the steps that are due."""
    for row in rows.all_of(tx):
        if row.state == "retiring" and row.changed_at + periods.retiring <= now_ms:
            rows.move(tx, row.kid, "gone", now_ms)
    if _active_is_due(rows.all_of(tx), now_ms, periods):
        rotate(tx, fresh, now_ms, periods)


def is_due(found: Sequence[SigningKey], now_ms: int, periods: Periods) -> bool:
    """Whether `age` would do anything."""
    retired = any(row.state == "retiring" and row.changed_at + periods.retiring <= now_ms for row in found)
    return retired or _active_is_due(found, now_ms, periods)


def _active_is_due(found: Sequence[SigningKey], now_ms: int, periods: Periods) -> bool:
    old = any(row.state == "active" and row.changed_at + periods.active <= now_ms for row in found)
    ready = any(row.state == "next" and row.changed_at + periods.published <= now_ms for row in found)
    return bool(periods.active) and old and ready

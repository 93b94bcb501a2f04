"""Proof that somebody knows an account's password, and how often one may guess.

Failures are counted when they are known. A hash takes long, so a hundred guesses may be under way at once: only the first five
to end learn anything, the others hear the throttle, right or wrong.
"""

from quintet.accounts.passwords.passwords import Passwords
from quintet.edge.limits import Throttle
from quintet.errors import QuintetError

__all__ = ["Credentials"]


class Credentials:
    """Proves passwords; `failures` counts per account, by the address's key, whether or not there is such an account."""

    def __init__(self, passwords: Passwords, failures: Throttle) -> None:
        self._passwords = passwords
        self._failures = failures

    async def prove(self, key: str, stored: str | None, form: str) -> None:
        """Pass when the normalised password fits `stored`; None is the hash of nobody.

        Raises:
            QuintetError: `credentials_wrong`, `rate_limited`, `busy`.
        """
        self._failures.check(key)
        if not await self._passwords.fits(stored, form):
            self._failures.take(key)
            raise QuintetError("credentials_wrong")
        self._failures.check(key)

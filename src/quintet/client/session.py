"""Who speaks: where access tokens come from, and their renewal.

1. One renewal at a time in a session; over processes the keeping's lock says whose turn it is.
2. The attempt's id is kept before the request goes out and until its answer came: whatever dies between, the repetition gets the same
   answer. A refresh token that somebody else has used is never sent again: a late reuse would end the session.
3. A renewal is not cancelled with whoever waits for it: its answer would be lost.
4. No token in any text.
"""

import asyncio
import contextlib
import random
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from msgspec import Struct

from quintet.client.faults import ClientError, RefusedError, SignedOutError, UnreachableError
from quintet.client.http import Http
from quintet.client.waiting import Backoff

__all__ = ["Access", "Credentials", "Fixed", "Grant", "InMemory", "Keeping", "Provided", "Session"]

_SECONDS = 8.0  # of one renewal; below the 10 s in which the server takes a second use for an accident
_REPETITIONS = (
    2  # where nobody answered: an answer that was lost is asked for again, a dead server is said to be dead soon
)
_SENDABLE = re.compile("[!-~]+")
_MARGIN = 5.0  # a token this close to its end is not sent any more, or a tenth of its life where that is shorter


class Access(NamedTuple):
    """An access token; `until` on the monotonic clock and `life` in seconds are None where nobody has said."""

    token: str
    until: float | None = None
    life: float | None = None

    @property
    def good(self) -> bool:
        """Whether it can still be sent."""
        if self.until is None or self.life is None:
            return True
        return time.monotonic() < self.until - min(_MARGIN, self.life / 10)


class Grant(Struct, frozen=True):
    """What of a session is kept: its refresh token, and the attempt that has not been answered yet."""

    refresh_token: str
    attempt_id: str | None = None


class Keeping(Protocol):
    """Where the grant of a session lies between two renewals."""

    def held(self) -> AbstractAsyncContextManager[None]:
        """Nobody else reads or writes meanwhile. Raises `ClientError` when its turn does not come."""

    def read(self) -> Grant | None:
        """What is kept now; None after a sign-out."""

    def write(self, grant: Grant) -> None:
        """Keep this from now on, durably."""


class InMemory:
    """Kept for as long as the process lives."""

    def __init__(self, refresh_token: str) -> None:
        self._grant = Grant(refresh_token)

    def held(self) -> AbstractAsyncContextManager[None]:
        """Nobody else is there."""
        return contextlib.nullcontext()

    def read(self) -> Grant:
        """What is kept now."""
        return self._grant

    def write(self, grant: Grant) -> None:
        """Keep this from now on."""
        self._grant = grant


class Credentials(Protocol):
    """Gives access tokens."""

    async def access(self, http: Http, stale: str | None = None) -> Access:
        """A token that counts, and is not `stale`.

        Raises:
            SignedOutError: there is none and there will be none.
            UnreachableError, RefusedError: not now.
        """

    async def settle(self) -> None:
        """Let a renewal that is under way end."""


class Fixed:
    """One access token, for as long as it counts."""

    def __init__(self, token: str) -> None:
        self._access = Access(token)

    async def access(self, http: Http, stale: str | None = None) -> Access:
        """The token, unless it is the stale one, or text that no header carries: libraries would show it in their complaint."""
        if not _SENDABLE.fullmatch(self._access.token):
            raise SignedOutError("invalid_token", "The access token is empty or holds characters that no token has.")
        if stale == self._access.token:
            raise SignedOutError("token_expired", "The access token has expired or was never valid.")
        return self._access

    async def settle(self) -> None:
        """Nothing is under way."""


class Provided:
    """Tokens from a function of the caller's."""

    def __init__(self, source: Callable[[], Awaitable[str]]) -> None:
        self._source = source

    async def access(self, http: Http, stale: str | None = None) -> Access:
        """What the function gives; the stale one again means that there is no other."""
        async with asyncio.timeout(_SECONDS):
            token = await self._source()
        return await Fixed(token).access(http, stale)

    async def settle(self) -> None:
        """Nothing is under way."""


class Session:
    """A sign-in that renews itself with its refresh token, which is a new one each time and is handed to `keeping`."""

    def __init__(self, refresh_token: str | None = None, *, keeping: Keeping | None = None) -> None:
        """Give the refresh token, or a keeping that has it."""
        if (refresh_token is None) == (keeping is None):
            raise TypeError("a session is made of a refresh token or of a keeping")
        self._keeping = keeping or InMemory(refresh_token or "")
        self._access: Access | None = None
        self._renewing: asyncio.Task[Access] | None = None

    async def access(self, http: Http, stale: str | None = None) -> Access:
        """A token that counts; renewed if need be."""
        known = self._access
        if known is not None and known.token != stale and known.good:
            return known
        if self._renewing is None:
            self._renewing = asyncio.get_running_loop().create_task(self._renew(http), name="renewal")
            self._renewing.add_done_callback(self._renewed)
        return await asyncio.shield(self._renewing)

    async def settle(self) -> None:
        """Let a renewal that is under way end, so that its answer is kept."""
        if self._renewing is not None:
            await asyncio.wait({self._renewing}, timeout=_SECONDS)

    def _renewed(self, task: asyncio.Task[Access]) -> None:
        self._renewing = None
        if not task.cancelled() and task.exception() is None:
            self._access = task.result()

    async def _renew(self, http: Http) -> Access:
        backoff, until = Backoff(random.random), time.monotonic() + _SECONDS
        used_by_others: str | None = None
        while True:
            grant: Grant | None = None
            try:
                async with self._keeping.held():
                    grant = self._attempt(used_by_others)
                    if grant is not None:
                        return await self._ask(http, grant)
                fault: ClientError = RefusedError("refresh_conflict")
            except UnreachableError as unreachable:
                if backoff.tries >= _REPETITIONS:
                    raise
                fault = unreachable
            except RefusedError as refusal:
                if refusal.code == "refresh_conflict" and grant is not None:
                    used_by_others = grant.refresh_token
                elif not refusal.passes:
                    raise
                fault = refusal
            wait = max(backoff.next(), getattr(fault, "retry_after", None) or 0)
            if time.monotonic() + wait > until:
                raise fault
            await asyncio.sleep(wait)

    def _attempt(self, used_by_others: str | None) -> Grant | None:
        """The grant with its attempt, written down; None while only a token is kept that others have used."""
        grant = self._keeping.read()
        if grant is None:
            raise SignedOutError("unauthenticated")
        if grant.refresh_token == used_by_others:
            return None
        if grant.attempt_id is None:
            grant = Grant(grant.refresh_token, secrets.token_hex(16))
            self._keeping.write(grant)
        return grant

    async def _ask(self, http: Http, grant: Grant) -> Access:
        body = {"refresh_token": grant.refresh_token, "attempt_id": grant.attempt_id}
        try:
            told = await http.call("POST", "/v1/auth/refresh", body=body)
        except RefusedError as refusal:
            if refusal.status == 401:
                raise SignedOutError(refusal.code, refusal.message) from None
            raise
        self._keeping.write(Grant(told["refresh_token"]))
        life = float(told["expires_in"])
        return Access(told["access_token"], time.monotonic() + life, life)

"""Passwords: what may be one, and what is kept of it.

1. Rules are checked before anything is computed; a refused password costs no hash.
2. NFKC before counting and hashing, so that the same keys on another keyboard are the same password.
3. Words that everybody can guess of this account (name, address, this product and its host) count for nothing in a password.
4. Kept is argon2id (RFC 9106), one lane: the pool gives one core to one hash.
5. An unknown user costs the same as a wrong password: the dummy has the same parameters and fits nothing.
"""

import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Self
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from quintet.accounts.config import AccountsConfig
from quintet.accounts.letters.wording import PRODUCT
from quintet.accounts.passwords.breaches import Breaches
from quintet.accounts.passwords.pool import BoundedPool
from quintet.errors import QuintetError
from quintet.sources import Sources

__all__ = ["LONGEST", "SHORTEST", "Passwords", "is_common", "is_mostly", "normalised", "words_of"]

SHORTEST = 15
LONGEST = 256
WINDOW = 24  # zxcvbn is superlinear: 24 characters cost up to a quarter of a second, 64 of them up to two
EASY_GUESSES = 1_000_000
LEAST_OWN = 8  # characters that must be left without the words everybody can guess
LEAST_WORD = 3

_SIGNS = str.maketrans("@4301!5$7", "aaeoiisst")

_estimating = Lock()  # zxcvbn keeps the inputs of a call in a module global


def normalised(password: str, longest: int = LONGEST) -> str:
    """The password in the form that is hashed: at most `longest` characters.

    Raises:
        QuintetError: `password_too_long`, or `password_invalid` for a NUL or a lone surrogate.
    """
    too_long = QuintetError("password_too_long", f"The password may have at most {longest} characters.")
    if len(password) > longest * 4:  # before NFKC, whose cost grows with what was sent
        raise too_long
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in password):
        raise QuintetError("password_invalid")
    form = unicodedata.normalize("NFKC", password)
    if len(form) > longest:
        raise too_long
    return form


def words_of(*texts: str | None) -> tuple[str, ...]:
    """The words of names, addresses and hosts, folded, the longest first: "Ada Lovelace" is two, and one without the blank."""
    found: set[str] = set()
    for text in filter(None, texts):
        parts = re.split(r"[\W_]+", text.casefold())
        found |= {*parts, "".join(parts)}
    return tuple(sorted((word for word in found if len(word) >= LEAST_WORD), key=len, reverse=True))


def is_mostly(form: str, words: Iterable[str]) -> bool:
    """Whether too little is left of the password without these words, also where signs stand for letters."""
    folded = form.casefold()
    return any(len(_without(text, words)) < LEAST_OWN for text in (folded, folded.translate(_SIGNS)))


def _without(text: str, words: Iterable[str]) -> str:
    for word in words:
        text = text.replace(word, "")
    return text


def is_common(form: str, words: Sequence[str] = ()) -> bool:
    """Whether a program that tries known passwords, these words and patterns finds it in a million guesses. Needs a thread: it is slow."""
    from zxcvbn import zxcvbn

    ends = {form[:WINDOW], form[-WINDOW:]}
    with _estimating:
        return all(zxcvbn(end, user_inputs=list(words))["guesses"] < EASY_GUESSES for end in ends)


class Passwords:
    """Hashes and verifies in `pool`. `rounds` and `kib` are argon2id's time and memory; `shortest` and `longest` in characters.

    `common` are words that everybody can guess of this server; `breaches` are passwords known from elsewhere.
    """

    def __init__(
        self,
        pool: BoundedPool,
        sources: Sources,
        *,
        rounds: int,
        kib: int,
        shortest: int = SHORTEST,
        longest: int = LONGEST,
        common: Sequence[str] = (),
        breaches: Breaches | None = None,
    ) -> None:
        self._pool = pool
        self._shortest = shortest
        self._longest = longest
        self._common = tuple(common)
        self._breaches = breaches
        self._argon2 = PasswordHasher(time_cost=rounds, memory_cost=kib, parallelism=1)
        salt, digest = (b64encode(sources.token_bytes(n)).decode().rstrip("=") for n in (16, 32))
        self._dummy = f"$argon2id$v=19$m={kib},t={rounds},p=1${salt}${digest}"

    @classmethod
    def configured(cls, pool: BoundedPool, sources: Sources, config: AccountsConfig) -> Self:
        """Those of a server. Raises OSError or ValueError where its file of known passwords cannot be used."""
        return cls(
            pool,
            sources,
            rounds=config.hash_rounds,
            kib=config.hash_kib,
            shortest=config.password_shortest,
            longest=config.password_longest,
            common=(PRODUCT, urlsplit(config.site).hostname or ""),
            breaches=Breaches(config.breached) if config.breached else None,
        )

    def normalised(self, password: str) -> str:
        """The form that is hashed. Raises QuintetError `password_too_long` or `password_invalid`."""
        return normalised(password, self._longest)

    async def check(self, password: str, *about: str | None) -> str:
        """The normalised form of a password that may be used. `about` is what everybody can guess of the account: name and address.

        Raises:
            QuintetError: `password_too_short`, `password_too_long`, `password_common`, `password_invalid`; `busy`.
        """
        form = self.normalised(password)
        if len(form) < self._shortest:
            raise QuintetError("password_too_short", f"The password needs at least {self._shortest} characters.")
        words = words_of(*self._common, *about)
        if is_mostly(form, words):
            raise QuintetError(
                "password_common", "Use a password without your name, your address or the name of this place."
            )
        if await self._pool.run(is_common, form, words):
            raise QuintetError("password_common")
        if self._breaches is not None and await self._pool.run(self._breaches.has, form):
            raise QuintetError(
                "password_common", "This password is known from a breach of another service. Choose another one."
            )
        return form

    async def hash(self, form: str) -> str:
        """The salted hash of a normalised password. Raises QuintetError `busy`."""
        return await self._pool.run(self._argon2.hash, form)

    async def fits(self, stored: str | None, form: str) -> bool:
        """Whether the password fits the stored hash; None (nobody), or what is no hash (no password), takes as long and never fits."""
        is_hash = stored is not None and stored.startswith("$")
        return await self._pool.run(self._verify, stored if is_hash else self._dummy, form)

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(stored)

    def _verify(self, stored: str, form: str) -> bool:
        try:
            return self._argon2.verify(stored, form)
        except (VerificationError, InvalidHashError):
            return False

"""Where accounts hand their letters in. A server without a mail server writes none, and nothing else changes."""

from collections.abc import Callable

from quintet.accounts.letters.letter import Letter
from quintet.accounts.letters.wording import Wording
from quintet.edge.limits import Throttle
from quintet.errors import QuintetError

__all__ = ["Post"]


class Post:
    """`take` is the courier's. `throttle` says how many letters of a kind reach one address in a while, whoever asks for them."""

    def __init__(self, take: Callable[[Letter], None] | None, words: Wording, throttle: Throttle) -> None:
        self._take = take
        self._throttle = throttle
        self.words = words

    @property
    def is_open(self) -> bool:
        """Whether there is a mail server at all."""
        return self._take is not None

    def admits(self, kind: str, key: str) -> bool:
        """Whether one more letter of this kind may go to this address; counts it.

        Asked before a token is made, which would take the place of the one that was sent. What is too much is left out without a word:
        the asker must not learn whether the address is known.
        """
        try:
            self._throttle.take(f"{kind} {key}")
        except QuintetError:
            return False
        return True

    def send(self, letter: Letter) -> None:
        """Hand a letter in. An account without a confirmed address has a made-up one (`external/linked.py`), which nobody reads."""
        if self._take is not None and not letter.to.endswith(".invalid"):
            self._take(letter)

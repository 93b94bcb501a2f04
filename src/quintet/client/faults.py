"""What a client can fail with. Everything is a `ClientError`; nothing of a token is ever in a text."""

from collections.abc import Mapping

from quintet.errors import CODES, QuintetError

__all__ = [
    "ClientError",
    "ClosedError",
    "LineLostError",
    "RefusedError",
    "SignedOutError",
    "UnansweredError",
    "UnfinishedError",
    "UnreachableError",
    "WireError",
]


class ClientError(Exception):
    """Something between this client and its server went wrong."""


class RefusedError(ClientError, QuintetError):
    """The server said no. `code` is one of its documented codes, `message` a sentence for the user, `retry_after` in seconds; `more` is
    what one goes on with (`pending_token` of a sign-in that asks for a code)."""

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        retry_after: int | None = None,
        status: int | None = None,
        more: Mapping[str, str | int] | None = None,
    ) -> None:
        known = CODES.get(code)
        sentence = message or (known.sentence if known else "The server refused this.")
        super().__init__(code, sentence, retry_after=retry_after, more=more)
        self._status = status or (known.status if known else 400)

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return self._status

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed a little later, and nothing of it was done now."""
        return self.code in ("rate_limited", "busy", "unavailable")


class SignedOutError(RefusedError):
    """The sign-in counts no more, or never did. Only signing in again helps."""


class ClosedError(ClientError):
    """The server closed the socket for good (4500 and above). `number` is the close code, `reason` its word."""

    def __init__(self, number: int, reason: str) -> None:
        self.number = number
        self.reason = reason
        super().__init__(f"the server closed the connection for good: {number} {reason}".rstrip())


class UnreachableError(ClientError):
    """No server answers there. The text says what was tried."""


class UnansweredError(ClientError):
    """A request was repeated until its deadline and never answered, so its outcome is unknown.

    Repeating `send` with the same `client_id` is safe at any later time: it is stored at most once.
    """

    def __init__(self, text: str, client_id: str | None = None) -> None:
        self.client_id = client_id
        super().__init__(text)


class UnfinishedError(ClientError):
    """The events of a run end without an ending."""


class WireError(ClientError):
    """What answers there does not speak this protocol."""


class LineLostError(ClientError):
    """One socket is gone, and the next one may go on from the cursor. Never leaves the package."""

    def __init__(self, why: str, *, retry_after: float = 0) -> None:
        self.retry_after = retry_after
        super().__init__(why)

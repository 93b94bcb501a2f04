"""Every refusal the product can give: one error type and one table of its codes.

A code names the fact, the sentence tells the user, the HTTP status and the close code tell the machine. `message` is always
a sentence fit for the user: nothing of an exception, a secret or another user ever goes into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CLOSES", "CODES", "RUN_CODES", "Close", "Code", "QuintetError", "RunCode"]


@dataclass(frozen=True, slots=True)
class Code:
    """What a refusal is over HTTP: its status, and the sentence said when the place of refusal has no better one."""

    status: int
    sentence: str


CODES: dict[str, Code] = {
    "ambiguous_credentials": Code(400, "Send exactly one credential."),
    "token_in_url": Code(400, "A token must not be part of the address. Send it in the Authorization header."),
    "unsupported_version": Code(400, "This server speaks quintet.v1."),
    "invalid_request": Code(400, "The request does not have the form that RFC 6749 asks for."),
    "invalid_scope": Code(400, "This scope is unknown, or not granted to this client."),
    "unsupported_grant_type": Code(400, "This server grants client credentials only."),
    "invalid_client": Code(401, "The client is unknown, or its secret is wrong."),
    "unauthenticated": Code(401, "Sign in first."),
    "invalid_token": Code(401, "The token is not valid."),
    "token_expired": Code(401, "The token has expired."),
    "session_revoked": Code(401, "This session has ended. Sign in again."),
    "credentials_wrong": Code(401, "The address or the password is wrong."),
    "factor_required": Code(401, "Enter the code of your second factor."),
    "code_wrong": Code(401, "This code is wrong, or was used before."),
    "passkey_wrong": Code(401, "This passkey was not accepted."),
    "refresh_reused": Code(401, "This refresh token was used before, so the session has been ended. Sign in again."),
    "forbidden": Code(403, "This is not allowed."),
    "not_found": Code(404, "There is nothing here."),
    "method_not_allowed": Code(405, "This address does not answer that method."),
    "email_taken": Code(409, "An account with this address exists already."),
    "conflict": Code(409, "This was sent before with another content."),
    "refresh_conflict": Code(409, "This refresh token is being used at this moment. Try again with the newest one."),
    "too_long": Code(413, "This is too long."),
    "unsupported_media_type": Code(415, "Send JSON, with the content type application/json."),
    "bad_message": Code(422, "The request does not have the expected form."),
    "email_invalid": Code(422, "This is not a valid e-mail address."),
    "password_too_short": Code(422, "The password is too short."),
    "password_too_long": Code(422, "The password is too long."),
    "password_common": Code(422, "This password is too easy to guess."),
    "password_invalid": Code(422, "The password holds a character that cannot be used."),
    "unknown_agent": Code(422, "There is no agent of this name."),
    "upgrade_required": Code(
        426,
        "This address speaks WebSocket, and the request came without its Upgrade header. A proxy in front must pass it on.",
    ),
    "rate_limited": Code(429, "Too many requests. Wait a little."),
    "queue_full": Code(429, "Too many of your messages are waiting. Wait until one is done."),
    "headers_too_large": Code(431, "The headers of the request are too large."),
    "internal": Code(500, "Something went wrong on our side."),
    "busy": Code(503, "The server is busy. Try again in a moment."),
    "unavailable": Code(503, "The service is not available right now. Try again in a moment."),
    "storage_full": Code(507, "The server has no room to store this."),
}


@dataclass(frozen=True, slots=True)
class RunCode:
    """Why a run, an invocation or a tool call did not succeed, in words for the user."""

    sentence: str
    retryable: bool = False


RUN_CODES: dict[str, RunCode] = {
    "agent_error": RunCode("The agent failed because of an error of its own."),
    "no_answer": RunCode("The agent ended without an answer."),
    "worker_lost": RunCode(
        "The work was interrupted because its worker stopped. Nothing was repeated.", retryable=True
    ),
    "output_limit": RunCode("The agent produced more than it may, so it was stopped."),
    "bad_arguments": RunCode("The tool was called with arguments that do not fit."),
    "tool_error": RunCode("The tool failed."),
    "tool_timeout": RunCode("The tool took too long and was stopped.", retryable=True),
    "timeout": RunCode("The agent took too long and was stopped.", retryable=True),
    "cancelled": RunCode("The work was stopped."),
    "unavailable": RunCode("The work could not be stored, so it was ended.", retryable=True),
}


@dataclass(frozen=True, slots=True)
class Close:
    """A socket's close code. 4000-4499: reconnect with your cursor; 4500-4999: stop (protocol.md, section 4)."""

    number: int
    reason: str


CLOSES: dict[str, Close] = {
    c.reason: c
    for c in (
        Close(4000, "draining"),
        Close(4001, "token_expired"),
        Close(4002, "slow_consumer"),
        Close(4004, "no_pong"),
        Close(4005, "rate_limited"),
        Close(4006, "auth_timeout"),
        Close(4010, "internal"),
        Close(4500, "unauthenticated"),
        Close(4500, "identity_mismatch"),
        Close(4501, "session_revoked"),
        Close(4503, "forbidden"),
        Close(4504, "connection_limit"),
        Close(4505, "protocol"),
        Close(4506, "unsupported_version"),
    )
}


class QuintetError(Exception):
    """A refusal with a code of `CODES`.

    `message` defaults to the code's sentence. `retry_after` is in seconds and goes out as `Retry-After` or in the `error` frame. `more` are
    members of the problem that a client goes on with (RFC 9457, 3.2).
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        retry_after: int | None = None,
        more: Mapping[str, str | int] | None = None,
    ) -> None:
        self.code = code
        self.message = message or CODES[code].sentence
        self.retry_after = retry_after
        self.more = more or {}
        super().__init__(f"{code}: {self.message}")

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return CODES[self.code].status

"""Planted defects of what is done by letter."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from quintet.accounts.by_letter import mail_tokens
from quintet.accounts.routes import letter_api
from quintet.accounts.sessions import sessions
from quintet.store import Tx
from support.patching import replace

__all__ = ["DEFECTS_BY_LETTER"]


def keep_a_used_link() -> None:
    """A token outlives its use."""

    def put(tx: Tx, token: str, held: mail_tokens.Held, now_ms: int) -> None:
        forget(tx, held.user_id, held.purpose)
        old_put(tx, token, held, now_ms)

    forget = replace(mail_tokens, "forget", lambda *_: None)
    old_put = replace(mail_tokens, "put", put)
    replace(mail_tokens, "spend", lambda tx, digest, now_ms, *_: mail_tokens.find(tx, digest, now_ms))


def spend_by_looking() -> None:
    """A GET of the link's address confirms, as many services do it."""

    def add(router: APIRouter, accounts: Any, door: Any) -> None:
        old(router, accounts, door)

        @router.get("/v1/auth/email/verify/{token}")
        async def look(token: str) -> Response:
            await accounts.verification.verify(token, None)
            return Response("Thank you.")

    old = replace(letter_api, "_add_verification", add)


def reset_leaves_sessions() -> None:
    """A new password by letter, and whoever was in stays in."""

    def end_all(tx: Tx, user_id: str, session_ids: Any, because: str, now_ms: int) -> None:
        if because != "password_reset":
            old(tx, user_id, session_ids, because, now_ms)

    old = replace(sessions, "end_all", end_all)


DEFECTS_BY_LETTER: dict[str, Callable[[], None]] = {
    "keep_a_used_link": keep_a_used_link,
    "reset_leaves_sessions": reset_leaves_sessions,
    "spend_by_looking": spend_by_looking,
}

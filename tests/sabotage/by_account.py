"""Planted defects of accounts: factors, deletion, administration, and the gap between a token's check and a socket's registration."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, Request

from quintet.accounts.admin import api as admin_api
from quintet.accounts.admin.desk import Actor
from quintet.accounts.factors import codes
from quintet.accounts.machines.api_keys import Standing
from quintet.accounts.own import erasing
from quintet.delivery.feed import Feed
from quintet.delivery.websocket import Socket
from quintet.scope import Identity
from support.patching import replace

__all__ = ["DEFECTS_OF_ACCOUNTS"]


def forget_the_last_step() -> None:
    """A code of the authenticator is compared with the time alone."""

    def factor_of(tx: Any, user_id: str) -> Any:
        found = old(tx, user_id)
        return None if found is None else found._replace(last_step=0)

    old = replace(codes, "factor_of", factor_of)


def delete_all_but_the_log() -> None:
    """A table that nobody thought of when accounts are deleted."""

    def owned_tables() -> list[Any]:
        return [table for table in old() if table.name != "events"]

    old = replace(erasing, "owned_tables", owned_tables)


def anybody_administers() -> None:
    """Whoever has signed in may administer."""

    def acting(dependency: Any, _address_of: Any) -> Callable[..., Awaitable[Actor]]:
        entered = Depends(dependency)

        async def anybody(_request: Request, who: Any = entered) -> Actor:
            return Actor(who.user_id)

        return anybody

    replace(admin_api, "_acting", acting)


def believe_revoked_keys() -> None:
    """An API key lives for ever: nobody asks whether it was revoked."""
    replace(Standing, "revoked", property(lambda _: False))


def register_without_looking_again() -> None:
    """The user's revision is read half a second after the session was checked, and the session not again once the socket is registered."""

    async def admit(self: Socket, identity: Identity) -> None:
        await asyncio.sleep(0.5)
        found = await self._parts.log.resolve(identity.user_id, "$")
        await old(self, dataclasses.replace(identity, auth_rev=getattr(found, "auth_rev", 0)))

    async def confirm(_self: Feed) -> bool:
        return True

    old = replace(Socket, "_admit", admit)
    replace(Feed, "confirm", confirm)


DEFECTS_OF_ACCOUNTS: dict[str, Callable[[], None]] = {
    "anybody_administers": anybody_administers,
    "believe_revoked_keys": believe_revoked_keys,
    "delete_all_but_the_log": delete_all_but_the_log,
    "forget_the_last_step": forget_the_last_step,
    "register_without_looking_again": register_without_looking_again,
}

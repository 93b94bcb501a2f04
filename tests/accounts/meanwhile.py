"""Something that another request does in the moment between what a flow has read and what it then writes."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from accounts.house import House

__all__ = ["Meanwhile"]


class Meanwhile:
    """Does `this` before the nth write of whatever comes next; it is seen to have happened."""

    def __init__(
        self, house: House, patch: pytest.MonkeyPatch, this: Callable[[], Awaitable[Any]], *, nth: int = 1
    ) -> None:
        self.happened = False
        self._this = this
        self._left = nth
        self._write = house.store.write
        patch.setattr(house.store, "write", self._written)

    async def _written(self, key: str, fn: Callable[..., Any]) -> Any:
        self._left -= 1
        if self._left == 0:
            await self._this()
            self.happened = True
        return await self._write(key, fn)

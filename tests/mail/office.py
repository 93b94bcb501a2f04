"""A house that writes letters, and what a person does with one."""

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from accounts.house import PASSWORD, House, bearer
from quintet.testing import Mailbox
from quintet.testing.mail.mailbox import Mail

NEW = "another anchor 99 of quinces"
_LINK = re.compile(r"http://localhost:8750/#/(verify|reset|invite)/(q[li]_[A-Za-z0-9_-]{43})$")


def token_in(mail: Mail) -> str:
    """The token of a letter: both of its texts have the one link, and it leads to this server's page."""
    links = {link for link in mail.links if "/#/" in link}
    assert len(links) == 1, mail.links
    found = _LINK.fullmatch(links.pop())
    assert found is not None, mail.links
    assert found[2] in mail.text
    assert found[2] in mail.html
    return found[2]


def plain(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """What of an answer must not differ: all but the request's own id."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, answer.content.replace(answer.headers["x-request-id"].encode(), b""), headers


@dataclass
class Office:
    """The house and its mailbox."""

    house: House
    mailbox: Mailbox

    @classmethod
    @asynccontextmanager
    async def opened(cls, house: AbstractAsyncContextManager[House], mailbox: Mailbox) -> "AsyncIterator[Office]":
        """For as long as the house is open."""
        async with house as made:
            yield cls(made, mailbox)

    async def post(self, path: str, body: dict[str, Any], token: str | None = None) -> httpx.Response:
        """One POST under /v1/auth."""
        headers = bearer(token) if token else {}
        return await self.house.http.post(f"/v1/auth{path}", json=body, headers=headers)

    async def register(self, email: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
        """The answer to a registration."""
        return await self.post("/register", {"email": email, "password": password, **more})

    async def forgot(self, email: str) -> httpx.Response:
        """The answer to a forgotten password, and what it led to is done."""
        answer = await self.post("/password/forgot", {"email": email})
        await self.settled()
        return answer

    async def reset(self, token: str, new: str = NEW) -> httpx.Response:
        """The answer to a new password."""
        return await self.post("/password/reset", {"token": token, "new": new})

    async def verify(self, token: str) -> httpx.Response:
        """The answer to a confirmed address."""
        return await self.post("/email/verify", {"token": token})

    async def letter(self, to: str, subject: str, nth: int = 1) -> Mail:
        """The n-th letter to this address about this."""
        return await self.mailbox.arrived(to, subject, nth=nth)

    async def settled(self) -> None:
        """What was to be done after an answer is done, and every letter has arrived."""
        await self.house.accounts.errands.settle(30)
        courier = self.house.accounts.courier
        assert courier is not None
        await courier.close(30)

    async def confirmed(self, email: str, password: str = PASSWORD) -> dict[str, Any]:
        """An account whose address is confirmed; the answer to its first sign-in."""
        answer = await self.register(email, password)
        assert answer.status_code in {201, 202}
        if answer.status_code == 202:
            await self.settled()
            assert (await self.verify(token_in(await self.letter(email, "Confirm")))).status_code == 204
        signed_in = await self.house.login(email, password)
        assert signed_in.status_code == 200, signed_in.text
        told: dict[str, Any] = signed_in.json()
        return told

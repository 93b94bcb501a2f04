"""Lives of users, one after the other: sign up, open sockets, write, stop, cut, come back, stream, upload, sign out, delete the account.

Each life ends with its account, so that what is left of it is left over.
"""

import asyncio
import random
from collections import Counter
from typing import Any

import httpx

from quintet.testing.accounts.account import Account, register
from quintet.testing.loops import LoopThread
from quintet.testing.sockets.connecting import Connect
from quintet.testing.sockets.device import Device
from support.server import Server

__all__ = ["churn", "warm"]

LIVES = 4  # at once: an account costs a fifth of a second of a core
BUSY = 20  # times that a server may say so
AGENTS = ("echo", "stepper", "streamer", "coordinator", "catcher", "raiser", "sync_agent", "silent")
ORDERS = {"steps": 8, "pause": 0.02, "pieces": 20, "topic": "soaking"}


async def churn(server: Server, seconds: float, chance: random.Random, done: Counter[str]) -> None:
    """Live for so long; returns when the last life has ended. `done` counts what was done."""
    until = asyncio.get_running_loop().time() + seconds
    loop = LoopThread("soak")

    async def lives() -> None:
        while asyncio.get_running_loop().time() < until:
            connect = Connect(loop)
            try:
                await _Life(server, connect, chance, done).live()
            finally:
                await asyncio.to_thread(connect.finish)

    try:
        await asyncio.gather(*(lives() for _ in range(LIVES)))
    finally:
        await asyncio.to_thread(loop.close)


async def warm(server: Server) -> None:
    """So many runs at once that every loop agents may have is made: a pool that fills is no growth."""
    loop = LoopThread("warming")
    connect = Connect(loop)
    try:
        devices = [
            await connect.device(server, await asyncio.to_thread(register, server)) for _ in range(2)
        ]  # a user has at most five runs at a time
        said = [
            (device, await device.say({"steps": 20, "pause": 0.1}, agent="stepper"))
            for device in devices
            for _ in range(5)
        ]
        for device, message in said:
            await device.run(message.run_id, 60)
    finally:
        await asyncio.to_thread(connect.finish)
        await asyncio.to_thread(loop.close)


class _Life:
    def __init__(self, server: Server, connect: Connect, chance: random.Random, done: Counter[str]) -> None:
        self.server = server
        self.connect = connect
        self.chance = chance
        self.done = done

    async def live(self) -> None:
        account = await asyncio.to_thread(register, self.server)
        self.done["accounts"] += 1
        device = await self._device(account)
        for _ in range(self.chance.randint(2, 5)):
            device = await self._day(account, device)
        await self._leave(account)

    async def _device(self, account: Account, after: str = "0") -> Device:
        self.done["sockets"] += 1
        return await self.connect.device(self.server, account, after=after)

    async def _day(self, account: Account, device: Device) -> Device:
        said = await device.say(ORDERS, agent=self.chance.choice(AGENTS))
        self.done["messages"] += 1
        happens = self.chance.choice(("nothing", "cancel", "cut", "stream", "upload", "delete", "slow"))
        self.done[happens] += 1
        if happens == "cancel":
            await device.cancel(said.run_id)
        elif happens == "cut":
            await device.cut()
            device = await self._device(account)
        elif happens == "stream":
            stream = await self.connect.stream(self.server, token=account, last_id="0")
            await stream.block("message_accepted")
            await stream.cut()
        elif happens == "upload":
            await self._answered(account, "POST", "/v1/attachments", files={"file": ("a.txt", b"x" * 50_000)})
        elif happens == "slow":
            slow = await device.say({"mark": said.run_id, "seconds": 30}, agent="slow_tool")
            await device.cancel(slow.run_id)
            await device.run(slow.run_id)
        await device.run(said.run_id)
        if happens == "delete":
            await self._answered(account, "DELETE", f"/v1/threads/{said.thread_id}")
        return device

    async def _leave(self, account: Account) -> None:
        for device in self.connect.open:
            if isinstance(device, Device) and device.close_code is None and self.chance.random() < 0.5:
                await device.close()
        if self.chance.random() < 0.3:
            account = await asyncio.to_thread(account.again)
        await self._answered(account, "DELETE", "/v1/auth/me", json={"password": account.password})

    async def _answered(self, account: Account, verb: str, path: str, **body: Any) -> None:
        answer = await self._asked(account, verb, path, **body)
        for _ in range(BUSY):
            if answer.status_code != 503:  # as many passwords as may be are being hashed
                break
            await asyncio.sleep(int(answer.headers["retry-after"]))
            answer = await self._asked(account, verb, path, **body)
        assert answer.is_success, f"{verb} {path}: {answer.status_code} {answer.text}"

    async def _asked(self, account: Account, verb: str, path: str, **body: Any) -> httpx.Response:
        async with account.http as http:
            return await http.request(verb, path, **body)

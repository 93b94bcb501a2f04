"""What the devices of a user hear, from the moment on in which they listen."""

import asyncio


class Feed:
    def __init__(self) -> None:
        self.devices: list[asyncio.Queue[str]] = []

    def listen(self) -> "Device":
        self.devices.append(asyncio.Queue())
        return Device(self.devices[-1])

    def publish(self, text: str) -> None:
        for inbox in self.devices:
            inbox.put_nowait(text)


class Device:
    def __init__(self, inbox: "asyncio.Queue[str]") -> None:
        self.inbox = inbox

    async def next(self) -> str:
        return await self.inbox.get()

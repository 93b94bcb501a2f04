"""People whose log may begin a new epoch: told `resync`, they forget what they had and read from the beginning, as clients do."""

import json
from typing import Any

from quintet.testing.sockets.device import Device
from quintet.testing.sockets.reading import ConnectionFault
from support.faithful import Faithful

__all__ = ["StartingAnew"]


class _Resynced(Exception):  # noqa: N818 - it ends one following and begins another
    """The cursor was answered by `resync`."""


class StartingAnew(Faithful):
    """See `Faithful`. `before` has what was seen of epochs that have ended, by number."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.before: dict[int, bytes] = {}
        self._left: set[str] = set()  # epochs that have ended

    async def _device(self, role: str, *, writes: bool) -> None:
        while True:
            try:
                await super()._device(role, writes=writes)
            except _Resynced:
                continue
            return

    async def _follow(self, device: Device, cursor: str, last: int) -> None:
        known = len(self.faults)
        try:
            await super()._follow(device, cursor, last)
        except ConnectionFault as fault:
            if "'type': 'resync'" not in str(fault):
                raise
            del self.faults[known:]
            self._begin_anew(cursor.split(".", maxsplit=1)[0])
            raise _Resynced from fault

    def _begin_anew(self, epoch: str) -> None:
        self.met["resync"] += 1
        if epoch not in self._left:  # the other device has not told it yet
            self._left.add(epoch)
            self.before |= self.seen
            self.seen.clear()
            self.answers.clear()

    def _answered(self, client_id: str, answer: dict[str, Any]) -> None:
        if str(answer["cursor"]).split(".")[0] not in self._left:
            super()._answered(client_id, answer)

    def _remember(self, device: Device, cursor: str, last: int) -> tuple[str, int]:
        if device.events and str(device.events[0].cursor).split(".")[0] in self._left:
            return cursor, last
        return super()._remember(device, cursor, last)

    def unchanged(self, upto: int) -> None:
        """What was seen of the epochs before, and was not lost, is what the log holds now, but for its cursor."""
        for seq, raw in self.before.items():
            if seq <= upto:
                was, now = json.loads(raw), json.loads(self.seen[seq])
                was["cursor"] = now["cursor"]
                assert was == now, f"{self.name} saw {was}, and now it is {now}"

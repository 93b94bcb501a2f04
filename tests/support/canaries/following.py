"""How users follow their logs: from any cursor that anybody was ever given, on sockets and streams that come and go."""

from quintet.testing.sockets.stream import Stream
from support.canaries.completeness import dense
from support.canaries.owner import Owner

__all__ = ["reconnect", "resume", "stream"]


def _cursor(other: Owner, place: int) -> str:
    return list(other.cursors)[place % len(other.cursors)]


async def resume(owner: Owner, other: Owner, place: int) -> None:
    """Another socket, from a cursor of `other`: one's own is followed to the head, a foreign one gets `resync` and nothing."""
    cursor = _cursor(other, place)
    due = (await owner.got("/v1/snapshot"))["last_seq"]
    device = await owner.another()
    told = await device.follow(cursor)
    if other is owner:
        assert told["type"] == "following", device.shown(f"an own cursor {cursor} was answered by {told}")
        assert other.cursors[cursor] in {None, told["last_seq"]}, device.shown(f"{cursor} stands elsewhere")
        await dense(device, told["last_seq"], due)
    else:
        assert (told["type"], told.get("reason")) == ("resync", "epoch"), device.shown(
            f"a foreign cursor was answered by {told}"
        )
        assert (await device.request("ping"))["type"] == "pong"
        assert device.events == [], device.shown("events of a foreign cursor")
    owner.counts["own cursor" if other is owner else "foreign cursor"] += 1
    await device.close()


async def stream(owner: Owner, other: Owner, place: int, *, header: bool) -> None:
    """The same over server-sent events."""
    cursor = _cursor(other, place)
    due = (await owner.got("/v1/snapshot"))["last_seq"]
    where = {"last_id": cursor} if header else {"query": f"?after={cursor}"}
    made = await owner.world.stream(owner.account, **where)
    first = await made.first()
    if other is owner:
        last = other.cursors[cursor]
        await made.step(f"event {due}", lambda: last is None or _reached(made, last) >= due or None)
        for event in made.events:
            assert last in {None, event.body.get("first_seq", event.body["seq"]) - 1}, f"a hole after {last}"
            last = event.body["seq"]
    else:
        told = f"a foreign cursor was answered by {first.lines!r}"
        assert (first.event, first.body and first.body.get("reason")) == ("resync", "epoch"), told
        await made.ended()
        assert not made.events, f"events of a foreign cursor: {made.text.decode()}"
    owner.streamed(made)
    await made.cut()
    owner.counts["own stream" if other is owner else "foreign stream"] += 1


def _reached(made: Stream, last: int) -> int:
    return int(made.events[-1]["seq"]) if made.events else last


async def reconnect(owner: Owner, *, polite: bool) -> None:
    """The socket in use goes, politely or not; the next one goes on where it was."""
    await (owner.device.close() if polite else owner.device.cut())
    await owner.rejoin()
    owner.counts["reconnect"] += 1

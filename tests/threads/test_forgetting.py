"""A deleted thread leaves a log without a hole: every reader, every cursor, every byte of the database's files."""

import asyncio
import random
import secrets
from pathlib import Path

import pytest

from quintet import runs
from quintet.chat.deleting import delete_thread, was_deleted
from quintet.chat.reading import run_of, snapshot, thread_of
from quintet.chat.threads import rename_thread
from quintet.errors import QuintetError
from quintet.events import decode
from quintet.log import Fenced, Position, Resync, Row
from quintet.scope import UserScope
from support.databases import Database
from support.kernel import Kernel, eventually, within

pytestmark = pytest.mark.l2


async def delete(kernel: Kernel, user_id: str, thread_id: str) -> None:
    """Delete a thread as the route does."""
    moment, scope = kernel.moment(), UserScope(user_id)
    await within(delete_thread(kernel.store, scope, thread_id, moment, most_running=5))


async def rename(kernel: Kernel, user_id: str, thread_id: str, title: str) -> None:
    """Rename a thread as the route does."""
    moment, scope = kernel.moment(), UserScope(user_id)
    await within(kernel.store.write(user_id, lambda tx: rename_thread(tx, scope, thread_id, title, moment)))


async def talk(kernel: Kernel, user_id: str, threads: list[str], chance: random.Random, words: str = "word") -> None:
    """Runs of several threads, their events among each other, with renamings; some stay open."""
    for thread_id in threads:
        await kernel.send(user_id, words, thread_id=thread_id)
    going = [run for run in await kernel.lease() if run.user_id == user_id]
    for step in range(12):
        run = chance.choice(going)
        await kernel.append(run, *(kernel.thought(run, f"{words} {step}") for _ in range(chance.randint(1, 3))))
        if chance.random() < 0.3:
            await rename(kernel, user_id, chance.choice(threads), f"{words} {step}")
    for run in going[: len(going) // 2 + 1]:
        await kernel.close(run, runs.Completed("msg_" + secrets.token_hex(4), words))


def tiles(rows: list[Row], after: int, head: int) -> None:
    """From `after` to the head without a hole or an overlap."""
    for row in rows:
        assert row.first_seq == after + 1, (row.first_seq, after)
        event = decode(row.frame)
        assert event.seq == row.seq
        assert (event.first_seq or row.seq) == row.first_seq
        after = row.seq
    assert after == head


@pytest.mark.parametrize("seed", range(6))
async def test_every_reader_from_every_position_gets_a_log_without_a_hole(kernel: Kernel, seed: int) -> None:
    """Whatever lies among each other and in whatever order threads go: the log tiles from everywhere, all given cursors go on."""
    chance = random.Random(seed)
    user_id = await kernel.user()
    threads = [kernel.sources.new_id("thr") for _ in range(4)]
    await talk(kernel, user_id, threads, chance)
    given = {event.seq: event.cursor for event in await kernel.story(user_id)}
    for thread_id in chance.sample(threads, 3):
        await delete(kernel, user_id, thread_id)
        head, _ = await within(kernel.log.head(user_id))
        given |= {event.seq: event.cursor for event in await kernel.story(user_id)}
        for after in range(head + 1):
            limit = chance.choice([1, 2, 256])
            tiles(await kernel.rows(user_id, after, limit=limit), after, head)
        for seq, cursor in given.items():
            found = await within(kernel.log.resolve(user_id, cursor))
            assert isinstance(found, Position) and found.after == seq, cursor
            made_up = cursor[:-1] + ("0" if cursor[-1] != "0" else "1")
            assert (await within(kernel.log.resolve(user_id, made_up)))[0] == "epoch"
        left = {event.thread_id for event in await kernel.story(user_id) if event.type != "thread_deleted"}
        assert thread_id not in left


async def test_neighbours_become_one_event(kernel: Kernel) -> None:
    """What lies together is one range event: first and last number, the thread, no run, and the cursor of the last one."""
    user_id = await kernel.user()
    run = await kernel.running(user_id)
    await kernel.append(run, *(kernel.thought(run) for _ in range(5)))
    await kernel.close(run, runs.Completed())
    before = await kernel.story(user_id)
    await delete(kernel, user_id, run.thread_id)
    stands, said = await kernel.story(user_id)
    assert (stands.type, stands.first_seq, stands.seq, stands.cursor) == (
        "thread_deleted",
        1,
        len(before),
        before[-1].cursor,
    )
    assert (stands.thread_id, stands.id[:8]) == (run.thread_id, before[-1].id[:8])
    assert list(stands.data) == ["deleted_at"]
    assert not stands.run_id and not stands.trace_id
    assert (said.type, said.seq, said.thread_id) == ("thread_deleted", len(before) + 1, run.thread_id)
    assert b'"first_seq"' not in (await kernel.rows(user_id))[1].frame


async def test_nothing_that_was_said_is_left(kernel: Kernel, database: Database, tmp_path: Path) -> None:
    """After the deletion no table holds a byte of it, and no file of SQLite's: not the pages that became free, not the write-ahead log."""
    user_id, canary = await kernel.user(), f"canary{secrets.token_hex(12)}"
    threads = [kernel.sources.new_id("thr") for _ in range(3)]
    await talk(kernel, user_id, threads, random.Random(1), canary)

    def found() -> list[str]:
        copy = database.copied(tmp_path / "copy")
        names = [path.name for path in tmp_path.iterdir() if canary.encode() in path.read_bytes()]
        copy.unlink()
        return names

    assert found(), "the canary never reached the database"
    for thread_id in threads:
        await delete(kernel, user_id, thread_id)
    await eventually(lambda: not found(), 10)
    database.check()


async def test_what_is_open_ends_once_and_its_worker_is_fenced(kernel: Kernel) -> None:
    """A running and a queued run of the thread get one ending each; the worker cannot write any more, and finds out that it is gone."""
    user_id = await kernel.user()
    heard: list[runs.Ended] = []
    kernel.store.on_commit(lambda facts: heard.extend(fact for fact in facts if isinstance(fact, runs.Ended)))
    run = await kernel.running(user_id)
    waiting = await kernel.send(user_id, thread_id=run.thread_id)
    other = await kernel.send(user_id)
    await kernel.append(run, kernel.call(run, "c1"))
    await delete(kernel, user_id, run.thread_id)
    assert sorted((one.run_id, one.state) for one in heard) == sorted(
        [(run.run_id, "cancelled"), (waiting, "cancelled")]
    )
    with pytest.raises(Fenced):
        await kernel.append(run, kernel.thought(run))
    with pytest.raises(Fenced):
        await kernel.close(run, runs.Completed())
    held = [(user_id, run.run_id), (user_id, other)]
    assert await within(kernel.store.read(lambda tx: runs.deleted(tx, held))) == [run.run_id]
    assert [one.run_id for one in await kernel.lease()] == [other], (
        "the queued run of the deleted thread must not start"
    )


async def test_who_follows_sees_the_end_and_nobody_later_sees_more(kernel: Kernel) -> None:
    """A follower at the head reads the ending from the ring; afterwards the ring holds nothing that was deleted."""
    user_id = await kernel.user()
    run = await kernel.running(user_id)
    heard: list[str] = []
    at = (await within(kernel.log.head(user_id)))[0]

    def look() -> None:
        nonlocal at
        batch = kernel.log.recent(user_id, at)
        for row in batch.rows if batch else []:
            heard.append(decode(row.frame).type)
            at = row.seq

    follower = kernel.log.follow(user_id, look)
    await kernel.append(run, kernel.thought(run, "secret"))
    await eventually(lambda: heard == ["agent_thinking"])
    await delete(kernel, user_id, run.thread_id)
    await eventually(lambda: "thread_deleted" in heard)
    assert heard == ["agent_thinking", "agent_cancelled", "thread_deleted"]
    for after in range(at):
        batch = await within(kernel.log.read(user_id, after))
        tiles(batch.rows, after, at)
        assert all(decode(row.frame).type == "thread_deleted" for row in batch.rows)
    follower.close()


async def test_what_is_deleted_is_nowhere(kernel: Kernel) -> None:
    """Thread, run, snapshot: gone; deleting again is `not_found`; what was sent to it is not accepted again; a stranger's is `not_found`."""
    user_id, stranger = await kernel.user(), await kernel.user()
    run = await kernel.running(user_id)
    client_id = (await kernel.story(user_id))[0].data["client_id"]
    with pytest.raises(QuintetError, match="not_found"):
        await delete(kernel, stranger, run.thread_id)
    await delete(kernel, user_id, run.thread_id)
    scope = UserScope(user_id)
    for gone in (
        lambda tx: thread_of(tx, scope, run.thread_id),
        lambda tx: run_of(tx, scope, run.run_id),
    ):
        with pytest.raises(QuintetError, match="not_found"):
            await within(kernel.store.read(gone))
    with pytest.raises(QuintetError, match="not_found"):
        await delete(kernel, user_id, run.thread_id)
    told = await within(kernel.store.read(lambda tx: snapshot(tx, scope)))
    assert (told["threads"], told["runs"]) == ([], [])
    assert await within(kernel.store.read(lambda tx: was_deleted(tx, scope, client_id)))
    assert not await within(kernel.store.read(lambda tx: was_deleted(tx, UserScope(stranger), client_id)))


async def test_a_thread_in_which_nothing_was_said_can_be_deleted(kernel: Kernel) -> None:
    """It has no events; its deletion is one."""
    user_id = await kernel.user()
    from quintet.chat.threads import create_thread

    moment = kernel.moment()
    made = await within(kernel.store.write(user_id, lambda tx: create_thread(tx, UserScope(user_id), "t", moment)))
    await delete(kernel, user_id, made["id"])
    assert [event.type for event in await kernel.story(user_id)] == ["thread_deleted"]


async def test_deleting_beside_work_disturbs_nobody(kernel: Kernel) -> None:
    """Appends, deletions and reads of one user at once: the log tiles, and what was not deleted is all there."""
    user_id = await kernel.user()
    stays = await kernel.running(user_id)
    doomed = [await kernel.running(user_id) for _ in range(4)]

    async def work() -> None:
        for step in range(40):
            await kernel.append(stays, kernel.thought(stays, f"kept {step}", step + 1))

    async def remove() -> None:
        for run in doomed:
            await kernel.append(run, kernel.thought(run))
            await delete(kernel, user_id, run.thread_id)

    await asyncio.gather(work(), remove())
    head, cursor = await within(kernel.log.head(user_id))
    tiles(await kernel.rows(user_id), 0, head)
    kept = await kernel.story(user_id, stays.run_id)
    assert [event.data["text"] for event in kept if event.type == "agent_thinking"] == [f"kept {n}" for n in range(40)]
    assert [event.run_seq for event in kept] == list(range(1, len(kept) + 1))
    assert not isinstance(await within(kernel.log.resolve(user_id, cursor)), Resync)

"""A long deletion goes in portions: in between nothing of the thread is readable, others write, and whoever stops it is not the last."""

import asyncio
import random
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quintet import runs
from quintet.chat.api import cancelling
from quintet.chat.attachments import Upload, attach, attachment_of, content_of, keep
from quintet.chat.deleting import delete_thread, finish_deletions
from quintet.chat.reading import message_page, run_events, run_of, snapshot, thread_of, thread_page
from quintet.chat.submit import Submitting
from quintet.chat.threads import rename_thread
from quintet.errors import QuintetError
from quintet.events import decode
from quintet.log import Position, Resync
from quintet.protocol import Send
from quintet.runs import Leased
from quintet.scope import UserScope
from quintet.store import Store, Tx
from support.databases import Database
from support.kernel import Kernel, eventually, within

pytestmark = pytest.mark.l2

EVENTS = 1_200  # of the thread that goes, each between two of another
FILE = 1_000_000
MOST = 250  # events that may go in one transaction, or as many times 16 KiB


class Watched:
    """A store whose writes are looked at, one by one, after each."""

    def __init__(self, store: Store, look: Callable[[int], Any]) -> None:
        self._store = store
        self._look = look
        self.writes = 0

    async def write(self, key: str, fn: Callable[[Tx], Any]) -> Any:
        """A write, and then a look."""
        answer = await self._store.write(key, fn)
        self.writes += 1
        await self._look(self.writes)
        return answer


class Scene:
    """A long thread with a file, among the events of another one."""

    def __init__(self, kernel: Kernel, user_id: str, doomed: Leased, stays: Leased, canary: str) -> None:
        self.kernel = kernel
        self.user_id = user_id
        self.scope = UserScope(user_id)
        self.doomed = doomed
        self.stays = stays
        self.canary = canary

    async def delete(self, look: Callable[[int], Any]) -> int:
        """Delete the long thread; the number of transactions it took."""
        store = Watched(self.kernel.store, look)
        thread_id, moment = self.doomed.thread_id, self.kernel.moment()
        await within(delete_thread(store, self.scope, thread_id, moment, most_running=5))  # type: ignore[arg-type]
        return store.writes

    async def left(self) -> int:
        """How many events of the long thread's run are in the log."""
        query = "SELECT count(*) FROM events WHERE user_id = ? AND run_id = ?"
        read = self.kernel.store.read(lambda tx: tx.sql(query, (self.user_id, self.doomed.run_id)).fetchone()[0])
        return int(await within(read))

    async def held(self) -> int:
        """How many bytes of files are stored of the user."""
        query = "SELECT coalesce(sum(size), 0) FROM attachments WHERE user_id = ?"
        return int(await within(self.kernel.store.read(lambda tx: tx.sql(query, (self.user_id,)).fetchone()[0])))


async def scene(kernel: Kernel, *, files: int = 0) -> Scene:
    """Two runs of two threads, their events in turn; renamings; files of the first one's message."""
    user_id, canary = await kernel.user(), f"canary{secrets.token_hex(12)}"
    doomed, stays = await kernel.running(user_id, canary), await kernel.running(user_id)
    made = Scene(kernel, user_id, doomed, stays, canary)
    told = []
    for _ in range(EVENTS):
        for run, words in ((doomed, canary), (stays, "kept")):
            told.append(kernel.log.append_nowait(user_id, run.run_id, run.attempt, [kernel.thought(run, words)]))
    await within(asyncio.to_thread(lambda: [future.result(20) for future in told]))
    moment = kernel.moment()

    def furnish(tx: Tx) -> None:
        rename_thread(tx, made.scope, doomed.thread_id, canary, moment)
        names = [f"att_{number}" for number in range(files)]
        for name in names:
            keep(tx, made.scope, name, Upload(name, "text/plain", (canary * (FILE // len(canary))).encode()), 0)
        attach(tx, made.scope, doomed.message_id, names)

    await within(kernel.store.write(user_id, furnish))
    return made


async def refused(kernel: Kernel, read: Callable[[Tx], Any]) -> None:
    """Must be `not_found`."""
    with pytest.raises(QuintetError, match="not_found"):
        await within(kernel.store.read(read))


async def test_between_portions_nothing_of_the_thread_is_there(kernel: Kernel) -> None:
    """From the first commit on it is `not_found` on every route, nothing can be sent to it or again; the log always tiles."""
    here = await scene(kernel, files=2)
    scope, doomed = here.scope, here.doomed
    story = await kernel.story(here.user_id)
    client_id = str(next(e for e in story if e.run_id == doomed.run_id).data["client_id"])
    given = random.Random(1).sample([e.cursor for e in story], 40)
    submit = Submitting(kernel.store, kernel.sources, default_agent="assistant")
    await within(kernel.store.write("", lambda tx: runs.announce(tx, "w1", {"assistant": ""})))

    async def look(write: int) -> None:
        for read in (
            lambda tx: thread_of(tx, scope, doomed.thread_id),
            lambda tx: message_page(tx, scope, doomed.thread_id, None, 50),
            lambda tx: run_of(tx, scope, doomed.run_id),
            lambda tx: run_events(tx, scope, doomed.run_id, 0, 50),
            lambda tx: attachment_of(tx, scope, "att_0"),
            lambda tx: content_of(tx, scope, "att_1"),
        ):
            await refused(kernel, read)
        for again in (
            Send("new", "hello", doomed.thread_id, "assistant"),
            Send(client_id, here.canary, None, "assistant"),
            Send("file", "hello", here.stays.thread_id, "assistant", ("att_0",)),
        ):
            with pytest.raises(QuintetError, match="not_found"):
                await within(submit(scope, again))
        with pytest.raises(QuintetError, match="not_found"):
            await within(cancelling(kernel.store, kernel.sources)(scope, doomed.run_id))
        page = await within(kernel.store.read(lambda tx: thread_page(tx, scope, None, 50)))
        assert [thread["id"] for thread in page["items"]] == [here.stays.thread_id]
        told = await within(kernel.store.read(lambda tx: snapshot(tx, scope)))
        assert [run["id"] for run in told["runs"]] == [here.stays.run_id]
        held = [(here.user_id, doomed.run_id), (here.user_id, here.stays.run_id)]
        assert await within(kernel.store.read(lambda tx: runs.deleted(tx, held))) == [doomed.run_id]
        at = 0
        for row in await kernel.rows(here.user_id):
            assert row.first_seq == at + 1, f"a hole after {at}, after write {write}"
            at = row.seq
        for cursor in given:
            assert not isinstance(await within(kernel.log.resolve(here.user_id, cursor)), Resync)

    assert await here.delete(look) >= EVENTS // MOST
    assert here.canary not in "".join(str(e) for e in await kernel.story(here.user_id))
    assert len(await kernel.story(here.user_id, here.stays.run_id)) == EVENTS + 2


async def test_a_portion_holds_the_writer_for_a_moment_only(kernel: Kernel) -> None:
    """No transaction takes more than its share, of events or of files; what others write meanwhile is stored between them."""
    here = await scene(kernel, files=12)
    before, held = await here.left(), await here.held()
    written: list[int] = []
    going = True

    async def others() -> None:
        while going:
            await kernel.append(here.stays, kernel.thought(here.stays, "meanwhile"))
            written.append(1)

    async def look(_: int) -> None:
        nonlocal before, held
        left, kept = await here.left(), await here.held()
        assert before - left <= MOST, f"{before - left} events went in one transaction"
        assert held - kept <= MOST * 16 * 1024 + FILE, f"{held - kept} bytes of files went in one transaction"
        before, held = left, kept

    beside = asyncio.create_task(others())
    writes = await here.delete(look)
    going = False
    await beside
    assert (before, held) == (0, 0)
    assert len(written) >= writes // 2, f"{len(written)} other writes went between {writes} portions"


@pytest.mark.parametrize("kill", [1, 2, 4, 8])
async def test_what_was_stopped_between_portions_is_finished(
    kernel: Kernel, database: Database, tmp_path: Path, kill: int
) -> None:
    """Stopped after any commit, finished by whoever comes next: no byte is left in the files, the log tiles, it is told once."""
    here = await scene(kernel, files=4)

    class Killed(Exception):  # noqa: N818 - nobody's error
        pass

    async def look(write: int) -> None:
        if write == kill:
            raise Killed

    with pytest.raises(Killed):
        await here.delete(look)
    assert database.rows("SELECT count(*) FROM deletions") == [(1,)], "it had ended already, so this proves nothing"
    assert await within(finish_deletions(kernel.store, kernel.sources)) == 1
    assert await within(finish_deletions(kernel.store, kernel.sources)) == 0
    await refused(kernel, lambda tx: thread_of(tx, here.scope, here.doomed.thread_id))
    for table in ("deletions", "attachments", "message_attachments"):
        assert database.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    at = 0
    for row in await kernel.rows(here.user_id):
        assert row.first_seq == at + 1
        at = row.seq
    said = [decode(row.frame) for row in await kernel.rows(here.user_id)]
    gone = [e for e in said if e.type == "thread_deleted"]
    assert len([e for e in gone if not e.first_seq]) == 1
    places = {e.seq + 1 for e in gone if e.first_seq}
    assert not [e for e in gone if e.first_seq in places], "two ranges touch where one stands for all of them"
    await eventually(lambda: not any(here.canary.encode() in path.read_bytes() for path in tmp_path.iterdir()), 10)
    database.check()


async def test_a_long_thread_alone_in_its_log_becomes_one_range(kernel: Kernel, database: Database) -> None:
    """Many portions, one range event, and every cursor that was ever sent still stands for its position. What is kept for the cursors
    is kept once, however many portions went."""
    user = await kernel.user()
    run = await kernel.running(user)
    await kernel.append(run, *(kernel.thought(run, f"{number}") for number in range(900)))
    await kernel.close(run, runs.Failed("agent_error"))
    before = [decode(row.frame) for row in await kernel.rows(user)]
    await within(delete_thread(kernel.store, UserScope(user), run.thread_id, kernel.moment(), most_running=5), 20)
    rows = await kernel.rows(user)
    assert [(row.first_seq, row.seq) for row in rows] == [(1, len(before)), (len(before) + 1, len(before) + 1)]
    for event in before:
        assert await within(kernel.log.resolve(user, event.cursor)) == Position(event.seq, event.cursor, 0)
    assert database.rows("SELECT seq, length(digests) FROM gone_digests") == [(len(before), 4 * len(before))]


async def test_two_deletions_of_one_thread_at_once_are_one(kernel: Kernel) -> None:
    """Asked for on two devices, or again after a refusal: both go on until it is gone, and neither takes what is not its own."""
    here = await scene(kernel)

    async def look(_: int) -> None:
        await asyncio.sleep(0)

    await asyncio.gather(here.delete(look), here.delete(look), finish_deletions(kernel.store, kernel.sources))
    story = await kernel.story(here.user_id)
    assert {e.type for e in story if e.thread_id == here.doomed.thread_id} == {"thread_deleted"}
    assert len(await kernel.story(here.user_id, here.stays.run_id)) == EVENTS + 2
    with pytest.raises(QuintetError, match="not_found"):
        await here.delete(look)

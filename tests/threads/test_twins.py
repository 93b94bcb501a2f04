"""Two users whose rows are alike in every table: the same ids, the same numbers. What one does never touches a row of the other's.

Ids are made by chance, so a statement that forgets the user harms nobody for years; here it does at once.
"""

import dataclasses
from functools import partial
from typing import Any

import pytest

from quintet import runs
from quintet.chat import Submitting, cancelling
from quintet.chat.attachments import Upload, keep
from quintet.chat.deleting import delete_thread
from quintet.chat.portion import stands_for
from quintet.chat.reading import message_page, run_events, snapshot
from quintet.chat.threads import rename_thread
from quintet.errors import QuintetError
from quintet.log import Place, Position, forget_in
from quintet.log.expiring import expire_in
from quintet.protocol import Send
from quintet.runs import Leased
from quintet.scope import UserScope
from quintet.store import Tx
from quintet.store.tables import metadata
from support.databases import Database
from support.kernel import Kernel, within

pytestmark = pytest.mark.l2


class Twin:
    """One of the two."""

    def __init__(self, kernel: Kernel, user_id: str) -> None:
        self.kernel = kernel
        self.user_id = user_id
        self.scope = UserScope(user_id)
        self.threads: list[str] = []
        self.given: list[tuple[int, str]] = []

    async def send(self, number: int, thread_id: str | None = None, file: str | None = None) -> dict[str, str]:
        """A message whose ids are the same for both."""
        chance = dataclasses.replace(self.kernel.sources, token_bytes=lambda size: bytes([number]) * size)
        submit = Submitting(self.kernel.store, chance, default_agent="assistant", most_running=2)
        files = () if file is None else (file,)
        return await within(submit(self.scope, Send(f"client {number}", "hello", thread_id, None, files)))

    async def furnish(self) -> None:
        """Two threads with a file each, a third message that waits, a renaming."""
        write = self.kernel.store.write
        for number in (1, 2):
            file, name = Upload("a.txt", "text/plain", b"text"), f"att_{number}"
            await within(
                write(self.user_id, partial(keep, scope=self.scope, attachment_id=name, upload=file, now_ms=0))
            )
            self.threads.append((await self.send(number, file=name))["thread_id"])
        await self.send(3, self.threads[0])
        await self.rename("first")

    async def rename(self, title: str) -> None:
        """Rename the first thread."""
        moment = self.kernel.moment()

        def renamed(tx: Tx) -> None:
            rename_thread(tx, self.scope, self.threads[0], title, moment)

        await within(self.kernel.store.write(self.user_id, renamed))

    async def delete(self, number: int) -> None:
        """Delete one of the threads."""
        moment, store = self.kernel.moment(), self.kernel.store
        await within(delete_thread(store, self.scope, self.threads[number], moment, most_running=2))

    async def note(self) -> None:
        """Remember every cursor of the log."""
        self.given += [(event.seq, event.cursor) for event in await self.kernel.story(self.user_id)]

    async def holds(self) -> None:
        """Every cursor that was given goes on where it stood."""
        for seq, cursor in self.given:
            found = await within(self.kernel.log.resolve(self.user_id, cursor))
            assert isinstance(found, Position), cursor
            assert found.after == seq

    def rows(self, database: Database) -> dict[str, list[Any]]:
        """Everything that is stored of the user, by table."""
        owned = [table.name for table in metadata.sorted_tables if "user_id" in table.c]
        return {
            name: sorted(map(repr, database.rows(f"SELECT * FROM {name} WHERE user_id = '{self.user_id}'")))
            for name in owned
        }

    async def seen(self) -> Any:
        """What the user reads."""

        def read(tx: Tx) -> Any:
            told = snapshot(tx, self.scope)
            pages = [message_page(tx, self.scope, thread["id"], None, 50) for thread in told["threads"]]
            return told, pages, [run_events(tx, self.scope, run["id"], 0, 50) for run in told["runs"]]

        return await within(self.kernel.store.read(read))


async def twins(kernel: Kernel) -> tuple[list[Twin], list[Leased]]:
    """Both, furnished, two runs of each at work; the second thread of each has been deleted."""
    await within(kernel.store.write("", lambda tx: runs.announce(tx, "w1", {"assistant": ""})))
    both = [Twin(kernel, user_id) for user_id in sorted([await kernel.user(), await kernel.user()])]
    for twin in both:
        await twin.furnish()
    leased = await kernel.lease()
    for run in leased:
        await kernel.append(run, kernel.thought(run), kernel.call(run, "call"), kernel.thought(run))
    for twin in both:
        await twin.note()
        await twin.delete(1)
    assert both[0].threads == both[1].threads, "the ids are not alike, so this proves nothing"
    return both, leased


@pytest.mark.parametrize("acting", [0, 1])
async def test_what_one_does_leaves_every_row_of_the_other_as_it_was(
    kernel: Kernel, database: Database, acting: int
) -> None:
    """Append, rename, cancel, end, send again, delete, lose what is old: the other's rows in all tables are the same to the byte after
    each of them, and so is what the other reads. Cursors of both stand."""
    both, leased = await twins(kernel)
    for twin in both:
        await twin.holds()
    actor, other = both[acting], both[1 - acting]
    run = next(run for run in leased if (run.user_id, run.thread_id) == (actor.user_id, actor.threads[0]))
    waiting = (await actor.seen())[0]["runs"][-1]["id"]
    before, seen = other.rows(database), await other.seen()
    assert all(before[name] for name in ("events", "runs", "messages", "attachments", "gone_digests", "deleted_sends"))

    async def again() -> None:
        with pytest.raises(QuintetError, match="not_found"):
            await actor.send(2)

    async def expire() -> None:
        before_ms = kernel.sources.now_ms() + 1
        await within(kernel.store.write(actor.user_id, lambda tx: expire_in(tx, actor.user_id, before_ms)))
        beginning = await within(kernel.log.resolve(actor.user_id, "0"))
        assert isinstance(beginning, Position)
        assert beginning.after > 0, "nothing went"

    cancel = cancelling(kernel.store, kernel.sources)
    for act in (
        lambda: kernel.append(run, kernel.thought(run)),
        lambda: actor.rename("second"),
        lambda: cancel(actor.scope, waiting),
        lambda: cancel(actor.scope, run.run_id),
        lambda: kernel.close(run, runs.Completed("msg_answer", "said")),
        lambda: again(),
        lambda: actor.send(4, actor.threads[0]),
        lambda: actor.delete(0),
        lambda: expire(),
    ):
        await act()
        assert other.rows(database) == before
        assert await other.seen() == seen
    await other.note()
    await other.holds()


@pytest.mark.parametrize("acting", [0, 1])
async def test_a_lost_run_ends_as_its_own_user_wanted(kernel: Kernel, acting: int) -> None:
    """One has stopped a run and the other has not: when their worker is dead, the one ends as stopped, the other as lost."""
    both, leased = await twins(kernel)
    held = {run.user_id: run for run in leased if run.thread_id == both[0].threads[0]}
    stopped = both[acting].user_id
    await within(cancelling(kernel.store, kernel.sources)(both[acting].scope, held[stopped].run_id))
    for user_id, run in held.items():
        end = partial(runs.end_orphan, orphan=runs.Orphan(user_id, run.run_id, run.attempt), moment=kernel.moment())
        assert await within(kernel.store.write(user_id, end)) == ("cancelled" if user_id == stopped else "failed")


@pytest.mark.parametrize("acting", [0, 1])
async def test_what_joins_in_one_log_stays_apart_in_the_other(kernel: Kernel, database: Database, acting: int) -> None:
    """Stretches that went at the same places of both logs: where one's grows to the left or to the right, the other's stays as it was,
    and every cursor of both still stands for its own event."""
    both = [Twin(kernel, user_id) for user_id in sorted([await kernel.user(), await kernel.user()])]
    for twin in both:
        run_id = await kernel.send(twin.user_id, thread_id="thr_same")
        run = next(run for run in await kernel.lease() if run.run_id == run_id)
        await kernel.append(run, *(kernel.thought(run, f"{number}") for number in range(9)))
        await twin.note()

    async def forget(twin: Twin, *gone: int) -> None:
        places = [Place(seq, cursor.rsplit(".", 1)[1]) for seq, cursor in twin.given if seq in gone]
        moment = kernel.moment()

        def forgotten(tx: Tx) -> None:
            ids = moment.ids()
            forget_in(tx, twin.user_id, places, lambda digest: stands_for(ids, "thr_same", 0, digest))

        await within(kernel.store.write(twin.user_id, forgotten))

    for twin in both:
        await forget(twin, 5, 6)
    for step, expected in (((7, 8), (5, 8)), ((3, 4), (3, 8))):
        for twin in (both[acting], both[1 - acting]):
            other = both[1 - both.index(twin)]
            before = other.rows(database)
            await forget(twin, *step)
            assert other.rows(database) == before
            await twin.holds()
            await other.holds()
            ranges = [(event.first_seq, event.seq) for event in await kernel.story(twin.user_id) if event.first_seq]
            assert ranges == [expected]

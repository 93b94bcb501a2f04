"""Retention: what is too old goes from the front of a log, and every cursor keeps its meaning or says that it is too old."""

from functools import partial

import pytest

from quintet import runs
from quintet.chat.deleting import delete_thread
from quintet.events import decode
from quintet.log import Expiring, Position, Resync
from quintet.log.expiring import expire_in
from quintet.scope import UserScope
from quintet.store.nodes import Node, is_oldest, show
from support.days import DAY, Calendar
from support.kernel import Kernel, within

pytestmark = pytest.mark.l2


async def told(kernel: Kernel, user: str, thoughts: int) -> None:
    """A run from its message to its ending."""
    run = await kernel.running(user)
    await kernel.append(run, *(kernel.thought(run, f"{number}") for number in range(thoughts)))
    await kernel.close(run, runs.Failed("agent_error"))


async def look(kernel: Kernel, days: int) -> None:
    """What the hourly look does."""
    await within(Expiring(kernel.store, kernel.sources, days).look())


async def test_what_is_too_old_goes_and_every_cursor_says_so(kernel: Kernel) -> None:
    """Before the cut: `too_old`, with the cursor of the first event kept. At the cut and behind it: exactly what follows, unchanged."""
    clock = Calendar(kernel)
    user, other = await kernel.user(), await kernel.user()
    await told(kernel, user, 7)
    clock.now += 10 * DAY
    await told(kernel, user, 4)
    await told(kernel, other, 3)
    before = await kernel.rows(user)
    cursors = [decode(row.frame).cursor for row in before]
    old = 10  # message_accepted, agent_started, seven thoughts, the ending
    await look(kernel, 9)
    assert await kernel.rows(user, old) == before[old:]
    beginning = await within(kernel.log.resolve(user, "0"))
    assert beginning == Position(old, cursors[old - 1], 0), "the beginning is the last event that went"
    for seq, cursor in enumerate(cursors, start=1):
        found = await within(kernel.log.resolve(user, cursor))
        expected = Resync("too_old", cursors[old - 1]) if seq < old else Position(seq, cursor, 0)
        assert found == expected, f"the cursor of {seq}"
    forged = cursors[old - 1][:-8] + "00000000"
    assert await within(kernel.log.resolve(user, forged)) == Resync("epoch", cursors[old - 1])
    assert len(await kernel.rows(other)) == 6
    clock.now += 8 * DAY
    await look(kernel, 9)
    commits = sum(kernel.store.figures().commits.counts)
    await look(kernel, 9)
    assert await kernel.rows(user, old) == before[old:], "another look finds nothing"
    assert sum(kernel.store.figures().commits.counts) == commits, "whoever has nothing to lose costs no write"
    clock.now += 2 * DAY
    await look(kernel, 9)
    assert isinstance(await within(kernel.log.resolve(user, cursors[-2])), Resync)


async def test_logs_cut_at_the_same_place_keep_their_own_cursors(kernel: Kernel) -> None:
    """Several users' logs end at the same number: at the cut each one's cursor stands, and another's is recognised."""
    clock = Calendar(kernel)
    users = [await kernel.user() for _ in range(3)]
    for user in users:
        await told(kernel, user, 3)
    cursors = [(await within(kernel.log.head(user)))[1] for user in users]
    clock.now += 10 * DAY
    for user in users:
        await told(kernel, user, 1)
    await look(kernel, 9)
    for user, cursor in zip(users, cursors, strict=True):
        assert await within(kernel.log.resolve(user, cursor)) == Position(6, cursor, 0)
        epoch = cursor.split(".")[0]
        for foreign in set(cursors) - {cursor}:
            forged = f"{epoch}.{foreign.split('.', 1)[1]}"
            assert await within(kernel.log.resolve(user, forged)) == Resync("epoch", cursor)


async def test_a_log_that_went_whole_goes_on_with_its_numbers(kernel: Kernel) -> None:
    """All events gone: the head's cursor still holds, and the next event has the next number."""
    clock = Calendar(kernel)
    user = await kernel.user()
    await told(kernel, user, 1200)
    head = await within(kernel.log.head(user))
    clock.now += 2 * DAY
    await look(kernel, 1)
    assert await within(kernel.log.resolve(user, "0")) == Position(head[0], head[1], 0)
    await told(kernel, user, 1)
    rows = await kernel.rows(user, head[0])
    assert [row.seq for row in rows] == list(range(head[0] + 1, head[0] + 5))
    assert await within(kernel.log.resolve(user, head[1])) == Position(head[0], head[1], 0)


async def test_an_open_run_is_never_cut_into(kernel: Kernel) -> None:
    """However old: a run that still works keeps all its events, and so does everything told after its first."""
    clock = Calendar(kernel)
    user = await kernel.user()
    await told(kernel, user, 2)
    run = await kernel.running(user)
    first = (await kernel.story(user, run.run_id))[0].seq
    await told(kernel, user, 2)
    clock.now += 400 * DAY
    await look(kernel, 1)
    beginning = await within(kernel.log.resolve(user, "0"))
    assert isinstance(beginning, Position)
    assert beginning.after == first - 1
    await kernel.close(run, runs.Failed("agent_error"))
    assert (await kernel.story(user, run.run_id))[-1].final


async def test_what_was_deleted_at_the_cut_goes_like_everything_else(kernel: Kernel) -> None:
    """The last event that goes stands for a deleted thread, before the first of a run that is still open: the cursor there stays."""
    clock = Calendar(kernel)
    user = await kernel.user()
    await told(kernel, user, 3)
    story = await kernel.story(user)
    await kernel.running(user)
    scope, moment = UserScope(user), kernel.moment()
    await within(delete_thread(kernel.store, scope, str(story[0].thread_id), moment, most_running=5))
    before = await kernel.rows(user)
    assert (before[0].first_seq, before[0].seq) == (1, len(story))
    clock.now += 10 * DAY
    await look(kernel, 9)
    at = story[-1]
    assert await within(kernel.log.resolve(user, "0")) == Position(at.seq, at.cursor, 0)
    assert await kernel.rows(user, at.seq) == before[1:]


async def test_what_stands_for_a_deleted_thread_holds_nothing_back(kernel: Kernel) -> None:
    """A thread that was deleted yesterday was told as long ago as what follows it: both go; before what is young it stays until its own time."""
    clock = Calendar(kernel)
    user, other = await kernel.user(), await kernel.user()
    for name in (user, other):
        await told(kernel, name, 3)
    await told(kernel, user, 3)
    clock.now += 9 * DAY
    await told(kernel, other, 3)
    for name in (user, other):
        thread = str((await kernel.story(name))[0].thread_id)
        await within(delete_thread(kernel.store, UserScope(name), thread, kernel.moment(), most_running=5))
    clock.now += DAY
    assert [(row.first_seq, row.seq) for row in (await kernel.rows(user))[:2]] == [(1, 6), (7, 7)]
    await look(kernel, 9)
    assert [row.seq for row in await kernel.rows(user)] == [13], "thread_deleted itself"
    assert [(row.first_seq, row.seq) for row in (await kernel.rows(other))[:2]] == [(1, 6), (7, 7)]
    clock.now += 9 * DAY
    await look(kernel, 9)
    assert await kernel.rows(other) == []


async def test_it_goes_in_portions(kernel: Kernel) -> None:
    """One transaction takes a bounded part; after each the log is whole from its new beginning on, as a crash would leave it."""
    clock = Calendar(kernel)
    user = await kernel.user()
    await told(kernel, user, 1100)
    clock.now += 2 * DAY
    rows = await kernel.rows(user)
    assert await within(kernel.store.write(user, lambda tx: expire_in(tx, user, clock.now - DAY)))
    beginning = await within(kernel.log.resolve(user, "0"))
    assert isinstance(beginning, Position)
    assert 0 < beginning.after < 500
    assert await kernel.rows(user, beginning.after) == rows[beginning.after :]


async def test_of_several_processes_the_oldest_looks(kernel: Kernel) -> None:
    """Whoever came later looks at nobody's log, until the oldest has left or was not heard of for a worker's life."""
    clock = Calendar(kernel)
    user = await kernel.user()
    nodes = [Node.here(f"nod_{number}", "all", "1", None) for number in (1, 2)]

    async def look_as(node: Node) -> int:
        await told(kernel, user, 1)
        clock.now += 10 * DAY
        mine = partial(is_oldest, node_id=node.id, life_ms=3_000)
        await within(Expiring(kernel.store, kernel.sources, 1, mine=mine).look())
        return len(await kernel.rows(user))

    assert await look_as(nodes[1]) == 0, "before anybody is shown"
    await within(kernel.store.write("", lambda tx: show(tx, nodes[0])))
    await within(kernel.store.write("", lambda tx: tx.sql("UPDATE nodes SET since = since - 1")))
    if kernel.store.shared:
        await within(kernel.store.write("", lambda tx: show(tx, nodes[1])))
        assert await look_as(nodes[1]) > 0
    assert await look_as(nodes[0]) == 0
    await within(
        kernel.store.write("", lambda tx: tx.sql("UPDATE nodes SET seen_at = seen_at - 4000 WHERE id = 'nod_1'"))
    )
    assert await look_as(nodes[1]) == 0

"""Segments on PostgreSQL: what is too old goes with its table, what is not stays, whoever looks and whenever."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from quintet import runs
from quintet.chat.portion import stands_for
from quintet.chat.reading import run_events
from quintet.events import decode
from quintet.log import Expiring, Place, Position, forget_in, head_in
from quintet.log.segments import Segments, turn_in
from quintet.scope import UserScope
from quintet.store import Tx, open_store
from quintet.store.moving import move
from support.days import DAY, KEPT, House, opened
from support.kernel import Kernel, within
from support.postgres import PostgresDatabase

pytestmark = pytest.mark.l2


@pytest.fixture
def database() -> PostgresDatabase:
    """An empty, migrated PostgreSQL."""
    return PostgresDatabase()


@pytest.fixture
def house(kernel: Kernel, database: PostgresDatabase) -> House:
    """One on PostgreSQL."""
    return House(kernel, database)


async def test_a_segment_goes_with_its_table(house: House) -> None:
    """Forty days, each with a look: never more than eleven partitions, no row older than nine days and some, nothing young missing."""
    user, quiet = await house.kernel.user(), await house.kernel.user()
    await house.look()
    await house.told(quiet)
    for day in range(40):
        await house.told(user)
        await house.days(1)
        kept_after, rows = await house.readable(user)
        assert kept_after == 6 * max(0, day - 7), "readable are eight days, to the look"
        assert len(rows) == 6 * min(day + 1, 8)
        assert len(house.stored(user)) <= 6 * 11, "and gone are those of a segment that is over"
        assert len(house.tables()) <= 12
    assert "events_1" not in house.tables()
    assert "events_0" in house.tables(), "where events come to from another database"
    assert await house.readable(quiet) == (6, [])
    assert house.database.rows("SELECT count(*) FROM segments") == [(len(house.tables()) - 1,)]


async def test_a_run_that_is_open_outlives_its_segment(house: House) -> None:
    """A run that was opened forty days ago has all its events, everything behind its first is read as ever, and the old tables have gone."""
    user, other = await house.kernel.user(), await house.kernel.user()
    await house.look()
    await house.told(user)
    run = await house.kernel.running(user)
    await house.told(other)
    for number in range(40):
        await house.days(1)
        if number % 5 == 0:
            await house.kernel.append(run, house.kernel.thought(run, f"day {number}"))
            await house.told(other)
    kept_after, rows = await house.readable(user)
    assert kept_after == 6, "up to the open run's first event"
    assert [kind for _, _, kind in rows] == ["message_accepted", "agent_started", *["agent_thinking"] * 8]
    assert "events_1" not in house.tables()
    assert house.stored(user)[0] == 7, "what nobody can read was not carried along"
    told = await house.kernel.story(user, run.run_id)
    assert [event.data["text"] for event in told[2:]] == [f"day {number}" for number in range(0, 40, 5)]
    await house.kernel.close(run, runs.Failed("agent_error"))
    await house.days(20)
    assert await house.readable(user) == (17, [])
    assert house.stored(user) == []


async def test_what_stands_for_a_deleted_thread_outlives_its_segment(house: House) -> None:
    """A range event is as young as the deletion: kept with the cursors inside of it, in whatever segment its thread was told."""
    user = await house.kernel.user()
    await house.look()
    first = await house.told(user)
    cursor = (await house.kernel.rows(user))[3]
    await house.days(6)
    await house.delete(user, first)
    before = await house.kernel.rows(user)
    await house.days(6)
    assert "events_1" not in house.tables()
    assert await house.kernel.rows(user) == before
    inside = decode(cursor.frame).cursor
    assert await within(house.kernel.log.resolve(user, inside)) == Position(4, inside, 0)
    await house.days(6)
    assert (await house.readable(user))[0] == before[-1].seq


async def test_what_nobody_can_read_is_deleted_with_its_thread(house: House) -> None:
    """A thread that is deleted after retention hid it leaves no row before its segment goes, nothing in its place, and no cursor changes."""
    user = await house.kernel.user()
    await house.look()
    run, other = await house.told(user), await house.told(user)
    await house.days(9)
    kept_after, rows = await house.readable(user)
    assert (kept_after, rows, len(house.stored(user))) == (12, [], 12)
    beginning = await within(house.kernel.log.resolve(user, "0"))
    await house.delete(user, run)
    assert house.stored(user) == list(range(7, 14)), "the rows of the other thread, and thread_deleted"
    assert await within(house.kernel.log.resolve(user, "0")) == beginning
    await house.delete(user, other)
    assert house.stored(user) == [13, 14]
    assert await within(house.kernel.log.resolve(user, "0")) == beginning


async def test_a_deletion_that_took_days_leaves_the_hidden_half_alone(house: House) -> None:
    """Its first portion stands for what is hidden by now: the second stands for itself, and the cursor between them stays."""
    user = await house.kernel.user()
    await house.look()

    async def forget(thread: str, places: list[tuple[int, str]]) -> None:
        def portion(tx: Tx) -> None:
            ids, now = house.kernel.moment().ids(), house.clock.now
            forget_in(
                tx, user, [Place(*place) for place in places], lambda digest: stands_for(ids, thread, now, digest)
            )

        await within(house.kernel.store.write(user, portion))

    run = await house.told(user)
    places = [(event.seq, event.cursor[-8:]) for event in await house.kernel.story(user)]
    await forget(run.thread_id, places)
    await house.days(5)
    await house.told(user)
    places = [(event.seq, event.cursor[-8:]) for event in await house.kernel.story(user)][1:]
    await house.days(4)
    beginning = await within(house.kernel.log.resolve(user, "0"))
    assert isinstance(beginning, Position)
    assert (beginning.after, len(house.stored(user))) == (6, 7)
    await forget(run.thread_id, places)
    assert await within(house.kernel.log.resolve(user, "0")) == beginning
    assert await house.readable(user) == (6, [(7, 12, "thread_deleted")])


async def test_a_thread_that_is_half_hidden_leaves_a_range_of_what_is_read(house: House) -> None:
    """The cut goes through a thread: deleted, it leaves one event for what could still be read, and the cursor at the cut stays."""
    user = await house.kernel.user()
    await house.look()
    run = await house.told(user)
    await house.days(5)
    again = await house.kernel.send(user, thread_id=run.thread_id)
    leased = next(one for one in await house.kernel.lease() if one.run_id == again)
    await house.kernel.close(leased, runs.Failed("agent_error"))
    await house.days(4)
    assert (await house.readable(user))[0] == 6
    beginning = await within(house.kernel.log.resolve(user, "0"))
    await house.delete(user, run)
    assert await within(house.kernel.log.resolve(user, "0")) == beginning
    assert (await house.readable(user))[1][0] == (7, 9, "thread_deleted")


async def test_what_is_too_old_is_read_on_no_road(house: House) -> None:
    """Rows that wait for the end of their segment: not in a feed from an old position, not in the events of their run."""
    user = await house.kernel.user()
    await house.look()
    run = await house.told(user)
    await house.days(5)
    await house.told(user)
    await house.days(4)
    assert len(house.stored(user)) == 12
    assert [row.seq for row in await house.kernel.rows(user, 2)] == list(range(7, 13))
    assert await within(house.kernel.store.read(lambda tx: run_events(tx, UserScope(user), run.run_id, 0, 100))) == []


async def test_a_backup_holds_a_table_and_nobody_else(house: House) -> None:
    """While somebody reads the log for hours its tables stay, writers and readers wait for no more than moments; afterwards they go."""
    user = await house.kernel.user()
    await house.look()
    await house.told(user)
    await house.days(9)
    with psycopg.connect(house.database.url) as backup:
        backup.execute("SELECT count(*) FROM events")
        house.clock.now += 2 * DAY
        await within(house.look(3), 5)
        assert "events_1" in house.tables()
        await within(house.kernel.rows(user), 5)
        await within(house.told(user), 5)
    await house.look()
    assert "events_1" not in house.tables()
    assert (await house.readable(user))[0] == 6


async def test_it_goes_at_the_look_after_the_one_that_hid_it(house: House) -> None:
    """After a long sleep one look hides and does not drop: whoever reads just then may have a state from before."""
    user = await house.kernel.user()
    await house.look()
    await house.told(user)
    await house.days(1)
    house.clock.now += 30 * DAY
    await house.look()
    assert (await house.readable(user))[0] == 6
    assert "events_1" in house.tables()
    await house.look()
    assert house.stored(user) == []
    assert house.tables() == {"events_0", "events_2", "events_3"}


async def test_two_that_look_at_once_are_no_harm(house: House) -> None:
    """Each begins what the other has begun, carries what the other has carried, drops what the other has dropped."""
    user = await house.kernel.user()
    other = Expiring(house.kernel.store, house.kernel.sources, KEPT)
    await asyncio.gather(within(other.look()), house.look())
    assert house.tables() == {"events_0", "events_1"}
    await house.told(user)
    run = await house.kernel.running(user)
    for _ in range(14):
        house.clock.now += DAY
        await within(other.look())
        await house.look()
    assert "events_1" not in house.tables()
    assert await house.readable(user) == (6, [(7, 7, "message_accepted"), (8, 8, "agent_started")])
    assert len(await house.kernel.story(user, run.run_id)) == 2


async def test_a_segment_that_somebody_writes_to_is_not_dropped(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another cluster took over between the steps of a look, in which a head is still there: nothing is carried, and nothing dropped."""
    user = await house.kernel.user()
    await house.look()
    await house.told(user)
    before = await house.readable(user)
    await house.days(1)
    segments = Segments(house.kernel.store, house.kernel.sources, -DAY)
    monkeypatch.setattr("quintet.log.segments._PORTION", 2)
    await within(house.kernel.store.write("", lambda tx: tx.sql("UPDATE heads SET segment = 1")))
    for _ in range(2):
        await within(segments.drop())
    assert await house.readable(user) == before
    assert "events_1" in house.tables()
    await within(house.kernel.store.write("", lambda tx: tx.sql("UPDATE heads SET segment = 2")))
    await within(segments.drop())
    assert await house.readable(user) == before
    assert "events_1" not in house.tables()


async def test_whoever_reads_near_the_head_asks_one_partition(house: House) -> None:
    """What a feed reads all day costs what it costs without partitions, however many there are."""
    user = await house.kernel.user()
    for _ in range(8):
        await house.told(user)
        await house.days(1)
    head = await within(house.kernel.store.read(lambda tx: head_in(tx, user)))
    near = head.segment_of(head.seq)
    assert f"events_{near}" == max(house.tables())
    with psycopg.connect(house.database.url) as raw:
        raw.execute("SET plan_cache_mode = force_generic_plan")
        raw.execute(
            "PREPARE near AS SELECT seq FROM events WHERE user_id = $1 AND seq > $2 AND segment >= $3 ORDER BY seq LIMIT $4"
        )
        plan = str(raw.execute(f"EXPLAIN EXECUTE near ('{user}', {head.seq}, {near}, 100)".encode()).fetchall())
    assert f"events_{near}" in plan
    assert plan.count("Index") <= 2, plan
    assert len(house.tables()) > 8


async def test_a_number_is_given_once_in_all_segments(house: House) -> None:
    """The unique key is of each segment; a head that went back behind the beginning of its own is refused by the database."""
    user = await house.kernel.user()
    await house.look()
    await house.told(user)
    await within(house.kernel.store.write(user, lambda tx: turn_in(tx, user, 5)))
    with pytest.raises(Exception, match="ck_heads_no_number_twice"):
        await within(house.kernel.store.write(user, lambda tx: tx.sql("UPDATE heads SET seq = seq - 1")))


async def test_a_whole_installation_moves_with_what_can_be_read(house: House, tmp_path: Path) -> None:
    """Into a file comes what a reader sees, nothing that waits for its segment's end; and it is verified as ever."""
    user = await house.kernel.user()
    await house.look()
    await house.told(user)
    await house.days(5)
    await house.told(user)
    await house.days(4)
    before = await house.readable(user)
    assert len(house.stored(user)) == 12
    await house.kernel.log.close()
    await within(house.kernel.store.close())
    file = tmp_path / "moved.db"
    moved = move(house.database.url, f"sqlite:///{file}", new_epoch=lambda: "moved", check=lambda *_: None)
    assert moved.rows["events"] == 6
    async with opened(house.database, open_store(f"sqlite:///{file}")) as new:
        assert await new.readable(user) == before

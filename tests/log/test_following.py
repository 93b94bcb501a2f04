"""Following: registered first, read then; a wake-up says look again, and the poll covers one that never came."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from log.feeds import Feed, Telling
from quintet.log import Batch, Log
from quintet.log.road import POLL_SECONDS
from quintet.store import Store
from support.kernel import WAIT, Kernel, eventually, within

pytestmark = pytest.mark.l2


@asynccontextmanager
async def disturbed(store: Store, poll_seconds: float = 3600) -> AsyncIterator[tuple[Telling, Kernel]]:
    """A log between which and its store tellings can be disturbed."""
    telling = Telling(store)
    log = Log(telling, poll_seconds=poll_seconds)
    await log.start()
    yield telling, Kernel(telling, log)
    await log.close()


async def test_a_commit_wakes_its_followers_and_nobody_else(kernel: Kernel) -> None:
    """All of a user's followers are woken by a commit to that user's log; another user's are not."""
    user, other = await kernel.user(), await kernel.user()
    run = await kernel.running(user)
    feeds = [await Feed(kernel.log, user).begin("$") for _ in range(2)]
    foreign = await Feed(kernel.log, other).begin("$")
    for feed in (*feeds, foreign):
        await feed.catch_up()
    await kernel.append(run, kernel.thought(run))
    await eventually(lambda: all(feed.woken for feed in feeds))
    assert not foreign.woken
    for feed in feeds:
        await feed.catch_up()
        assert [row.seq for row in feed.rows] == [3]


async def test_live_reading_needs_no_database(kernel: Kernel, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who follows at the head finds what was just committed in the ring, the same bytes as in the database."""
    user = await kernel.user()
    run = await kernel.running(user)
    feed = await Feed(kernel.log, user).begin("$")
    await feed.catch_up()
    await kernel.append(run, kernel.thought(run, "a"), kernel.thought(run, "b"))
    await eventually(lambda: feed.woken)
    batch = kernel.log.recent(user, feed.last)
    assert isinstance(batch, Batch)
    assert [row.seq for row in batch.rows] == [3, 4]
    assert batch.head == 4
    nothing = kernel.log.recent(user, 4)
    assert isinstance(nothing, Batch)
    assert nothing.rows == []
    assert kernel.log.recent(user, 0) is None
    feed.follower.close()
    assert kernel.log.recent(user, 4) is None
    assert (await kernel.rows(user, 2)) == batch.rows


async def test_a_read_from_memory_keeps_the_bounds_of_a_read(kernel: Kernel, store: Store) -> None:
    """What was just committed is read in portions too: at most so many rows and bytes, one row at least, and each portion says where
    the log ends and what the user's revision is, as one from the database does."""
    user = await kernel.user()
    run = await kernel.running(user)
    feed = await Feed(kernel.log, user).begin("$")
    await feed.catch_up()
    await within(store.write(user, lambda tx: tx.revoke(user)))
    await kernel.append(run, *(kernel.thought(run, "x" * 1000) for _ in range(9)))
    await eventually(lambda: feed.follower.head == 11)
    assert kernel.log.recent(user, 2) is not None, "it was read from the database, so this proves nothing"
    size = len((await kernel.rows(user, 2))[0].frame)
    for bounds, expected in (
        ({"limit": 4}, [3, 4, 5, 6]),
        ({"size": 3 * size + size // 2}, [3, 4, 5]),
        ({"size": 1}, [3]),
        ({"limit": 4, "size": 2 * size + size // 2}, [3, 4]),
    ):
        batch = await within(kernel.log.read(user, 2, **bounds))
        assert ([row.seq for row in batch.rows], batch.head, batch.auth_rev) == (expected, 11, 1)


async def test_registered_before_reading_sees_every_commit(kernel: Kernel) -> None:
    """Feeds that come while three threads append reach, by their wake-ups alone, everything: no commit falls between registering and
    reading, and every feed has the bytes of the database."""
    users = [await kernel.user() for _ in range(2)]
    held = [await kernel.running(user) for user in users]
    done = threading.Event()
    written = [0, 0]

    def write(which: int) -> None:
        chance = random.Random(which)
        run = held[which % 2]
        for _ in range(150):
            drafts = [kernel.thought(run, "x" * chance.choice((1, 400))) for _ in range(chance.randrange(1, 5))]
            kernel.log.append_nowait(run.user_id, run.run_id, run.attempt, drafts).result(WAIT)
            written[which % 2] += 1
        if written[0] + written[1] >= 600:
            done.set()

    async def listen(number: int) -> Feed:
        chance = random.Random(number)
        signal = asyncio.Event()
        user = users[number % 2]
        await asyncio.sleep(chance.random() * 0.2)
        feed = await Feed(kernel.log, user, signal.set).begin(chance.choice(("0", "$")))
        while not (done.is_set() and feed.last == (await kernel.log.head(user))[0]):
            await feed.step(limit=chance.choice((1, 7, 256)))
            if not feed.woken:
                signal.clear()
                if not done.is_set():
                    await asyncio.wait([asyncio.create_task(signal.wait())], timeout=1)
        feed.follower.close()
        return feed

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    feeds = await within(asyncio.gather(*(listen(number) for number in range(24))), 40)
    for thread in threads:
        await asyncio.to_thread(thread.join, WAIT)
    for user in users:
        rows = await kernel.rows(user)
        for feed in feeds:
            if feed.user_id == user:
                assert feed.rows == rows[feed.start :]


async def test_a_lost_wake_up_is_found_by_the_poll(store: Store) -> None:
    """Where no wake-up comes, the poll finds what is new and wakes; the promise is five seconds."""
    assert POLL_SECONDS <= 4.5
    async with disturbed(store, poll_seconds=0.05) as (telling, kernel):
        user = await kernel.user()
        run = await kernel.running(user)
        feed = await Feed(kernel.log, user).begin("$")
        await feed.catch_up()
        telling.how = "lost"
        await kernel.append(run, kernel.thought(run))
        while not feed.rows:  # a look that began before the append wakes as well, for nothing
            await eventually(lambda: feed.woken, 5)
            await feed.catch_up()
        assert [row.seq for row in feed.rows] == [3]


async def test_the_poll_wakes_whoever_missed_a_wake_up(store: Store) -> None:
    """One of a user's readers fails when it is woken, and the log knows of nothing newer: the next look wakes it again."""
    async with disturbed(store) as (_, kernel):
        user = await kernel.user()
        run = await kernel.running(user)
        called: list[int] = []

        def woken() -> None:
            called.append(1)
            if len(called) == 1:
                raise RuntimeError("it was not ready")

        await Feed(kernel.log, user, woken).begin("$")
        called.clear()
        await kernel.append(run, kernel.thought(run))
        await eventually(lambda: len(called) == 1)
        await kernel.log.look()
        assert len(called) == 2


async def test_news_that_one_reader_found_reach_the_others(store: Store) -> None:
    """After a lost wake-up one device reads the database for a reason of its own: that wakes the other one, long before the poll.
    So it is with a revocation."""
    async with disturbed(store) as (telling, kernel):
        user = await kernel.user()
        run = await kernel.running(user)
        feed = await Feed(kernel.log, user).begin("$")
        await feed.catch_up()
        telling.how = "lost"
        await kernel.append(run, kernel.thought(run))
        second = await Feed(kernel.log, user).begin("0")
        await second.catch_up()
        assert [row.seq for row in second.rows] == [1, 2, 3]
        await eventually(lambda: feed.woken, 2)
        await feed.catch_up()
        assert [row.seq for row in feed.rows] == [3]
        await within(store.write(user, lambda tx: tx.revoke(user)))
        third = await Feed(kernel.log, user).begin("$")
        assert third.follower.auth_rev == 1
        await eventually(lambda: feed.woken, 2)


async def test_what_is_told_late_is_not_told_to_a_later_feed(store: Store) -> None:
    """A feed that ended, a commit nobody followed, a new feed, and only then the telling of an older commit: the new feed is not made
    to believe that nothing came after it."""
    async with disturbed(store) as (telling, kernel):
        user = await kernel.user()
        run = await kernel.running(user)
        first = await Feed(kernel.log, user).begin("$")
        await first.catch_up()
        kernel.log.append_nowait(user, run.run_id, run.attempt, [kernel.thought(run, "told late")]).result(WAIT)
        first.follower.close()
        kernel.log.append_nowait(user, run.run_id, run.attempt, [kernel.thought(run, "followed by nobody")]).result(
            WAIT
        )
        feed = Feed(kernel.log, user)
        await asyncio.sleep(0)
        assert feed.follower.head == -1
        await feed.begin("0")
        await feed.catch_up()
        assert [row.seq for row in feed.rows] == [1, 2, 3, 4]
        assert telling.counts["now"] > 0


@pytest.mark.parametrize("how", ["doubled", "backwards"])
async def test_what_is_told_twice_or_in_another_order_is_harmless(store: Store, how: str) -> None:
    """Doubled and reordered tellings give no row twice, out of order or not at all."""
    async with disturbed(store) as (telling, kernel):
        user = await kernel.user()
        run = await kernel.running(user)
        feed = await Feed(kernel.log, user).begin("$")
        await feed.catch_up()
        telling.how = "doubled" if how == "doubled" else "held"
        for _ in range(4):
            await kernel.append(run, kernel.thought(run), kernel.thought(run))
        telling.release(backwards=True)
        await eventually(lambda: feed.woken)
        await asyncio.sleep(0)
        await feed.catch_up()
        assert [row.seq for row in feed.rows] == list(range(3, 11))


async def test_a_revocation_wakes_and_is_known(kernel: Kernel, store: Store) -> None:
    """A revocation wakes the user's followers, who then know the new revision, from the ring and from the database."""
    user, other = await kernel.user(), await kernel.user()
    feed = await Feed(kernel.log, user).begin("$")
    foreign = await Feed(kernel.log, other).begin("$")
    for one in (feed, foreign):
        await one.catch_up()
    await within(store.write(user, lambda tx: tx.revoke(user)))
    await eventually(lambda: feed.woken)
    assert (feed.follower.auth_rev, foreign.follower.auth_rev, foreign.woken) == (1, 0, False)
    recent = kernel.log.recent(user, 0)
    assert recent is not None
    assert recent.auth_rev == 1
    later = await Feed(kernel.log, user).begin("0")
    assert later.follower.auth_rev == 1


async def test_a_feed_that_comes_after_a_revocation_knows_it(kernel: Kernel, store: Store) -> None:
    """A socket that registers after the revocation was committed knows of it after its first reading."""
    user = await kernel.user()
    await within(store.write(user, lambda tx: tx.revoke(user)))
    feed = await Feed(kernel.log, user).begin("0")
    assert feed.follower.auth_rev == 1
    assert (await within(kernel.log.read(user, 0))).auth_rev == 1


async def test_a_revocation_beside_this_process_is_found_by_the_poll(store: Store) -> None:
    """Where another process revokes, no wake-up comes at all: the poll finds it within its period."""
    async with disturbed(store, poll_seconds=0.05) as (telling, kernel):
        user = await kernel.user()
        feed = await Feed(kernel.log, user).begin("$")
        await feed.catch_up()
        telling.how = "lost"
        await within(store.write(user, lambda tx: tx.revoke(user)))
        await eventually(lambda: feed.woken and feed.follower.auth_rev == 1, 5)


async def test_a_follower_that_fails_harms_nobody(kernel: Kernel) -> None:
    """A wake-up that raises is logged; the user's other followers, and other users', are woken all the same."""

    def broken() -> None:
        raise RuntimeError("broken reader")

    user, other = await kernel.user(), await kernel.user()
    held = [await kernel.running(one) for one in (user, other)]
    kernel.log.follow(user, broken)
    feeds = [await Feed(kernel.log, one).begin("$") for one in (user, other)]
    for feed in feeds:
        await feed.catch_up()
    for run in held:
        kernel.log.append_nowait(run.user_id, run.run_id, run.attempt, [kernel.thought(run)]).result(WAIT)
    await eventually(lambda: all(feed.woken for feed in feeds))


async def test_a_poll_that_fails_is_tried_again(store: Store) -> None:
    """A store that refuses one poll does not end the polling."""
    async with disturbed(store, poll_seconds=0.02) as (telling, kernel):
        user = await kernel.user()
        run = await kernel.running(user)
        feed = await Feed(kernel.log, user).begin("$")
        await feed.catch_up()
        telling.how = "lost"
        telling.away = True
        await eventually(lambda: telling.refused > 2)
        telling.away = False
        await kernel.append(run, kernel.thought(run))
        await eventually(lambda: feed.woken, 5)


async def test_the_ring_is_bounded(kernel: Kernel) -> None:
    """What is kept for a followed user stays within its count and its bytes, however much is committed; nobody's is kept for nobody."""
    user = await kernel.user()
    run = await kernel.running(user)
    feed = await Feed(kernel.log, user).begin("$")
    await feed.catch_up()
    for size, count in ((1, 200), (5000, 60), (1, 300)):
        await kernel.append(run, *(kernel.thought(run, "x" * size) for _ in range(count)))
        await asyncio.sleep(0)
        stream = kernel.log._streams[user]
        assert len(stream.rows) <= 256
        assert stream.size == sum(len(row.frame) for row in stream.rows) <= 256 * 1024
    await feed.catch_up()
    assert feed.last == 562
    feed.follower.close()
    assert kernel.log._streams == {}


async def test_a_follower_can_leave_while_it_is_woken(kernel: Kernel) -> None:
    """Closing a registration from inside a wake-up is safe, and those after it are still woken."""
    user = await kernel.user()
    run = await kernel.running(user)
    leaving = kernel.log.follow(user, lambda: leaving.close())
    feed = await Feed(kernel.log, user).begin("$")
    await feed.catch_up()
    await kernel.append(run, kernel.thought(run))
    await eventually(lambda: feed.woken)
    assert len(kernel.log._streams[user].followers) == 1

"""Other processes write to the same logs: what they tell is "look again", and one look finds all that has become of a log."""

from collections.abc import AsyncIterator

import pytest

from log.feeds import Feed, Telling
from quintet.events import Draft, ThreadDeleted, decode, draft, timestamp
from quintet.log import Log, Place, forget_in
from quintet.store import Renewed, Store
from support.kernel import Kernel, eventually, within

pytestmark = pytest.mark.l2


@pytest.fixture
async def beside(store: Store) -> AsyncIterator[Kernel]:
    """A log that never polls in the time of a test; its store is a `Telling`."""
    made = Log(Telling(store), poll_seconds=3600)
    await made.start()
    yield Kernel(made._store, made)
    await made.close()


def tell(kernel: Kernel, how: str) -> None:
    """From now on commits are told like this."""
    kernel.store.how = how  # type: ignore[attr-defined]


async def at_the_head(kernel: Kernel, user: str) -> Feed:
    """A feed that has nothing left to read."""
    feed = await Feed(kernel.log, user).begin("$")
    await feed.catch_up()
    return feed


async def test_what_others_wrote_is_read_as_soon_as_they_told(beside: Kernel) -> None:
    """Without any poll: a commit of another process wakes whoever follows that user here, on every device, and nobody else."""
    user, other = await beside.user(), await beside.user()
    run = await beside.running(user)
    feeds = [await at_the_head(beside, user) for _ in range(2)]
    foreign = await at_the_head(beside, other)
    tell(beside, "elsewhere")
    await beside.append(run, beside.thought(run, "a"), beside.thought(run, "b"))
    await eventually(lambda: all(feed.woken for feed in feeds), 5)
    for feed in feeds:
        await feed.catch_up()
        assert [row.seq for row in feed.rows] == [3, 4]
    assert not foreign.woken


async def test_a_refused_look_is_not_the_last(beside: Kernel) -> None:
    """Where the database is away when others have told, the next thing they tell is looked at all the same."""
    user = await beside.user()
    run = await beside.running(user)
    feed = await at_the_head(beside, user)
    tell(beside, "elsewhere")
    beside.store.away = True  # type: ignore[attr-defined]
    await beside.append(run, beside.thought(run))
    await eventually(lambda: beside.store.refused, 5)  # type: ignore[attr-defined]
    beside.store.away = False  # type: ignore[attr-defined]
    await beside.append(run, beside.thought(run))
    await eventually(lambda: feed.woken, 5)
    await feed.catch_up()
    assert [row.seq for row in feed.rows] == [3, 4]


async def test_what_others_took_out_is_not_shown_from_memory(beside: Kernel) -> None:
    """Events that another process has deleted are in nobody's hands here any more, though they were just committed and read here."""
    user = await beside.user()
    run = await beside.running(user)
    feed = await at_the_head(beside, user)
    await beside.append(run, beside.thought(run, "canary"))
    await eventually(lambda: feed.woken, 5)
    told = beside.log.recent(user, 2)
    assert told is not None
    assert b"canary" in told.rows[0].frame, "it was never held in memory, so this proves nothing"
    gone = decode(told.rows[0].frame)
    tell(beside, "elsewhere")

    def stand_in(digest: str) -> Draft:
        deleted = ThreadDeleted(timestamp(0))
        return draft(deleted, event_id=digest + "0" * 24, time_ms=0, thread_id=run.thread_id)

    place = Place(3, gone.cursor.rsplit(".", 1)[1])
    await within(beside.store.write(user, lambda tx: forget_in(tx, user, [place], stand_in)))
    await eventually(lambda: beside.log.recent(user, 2) is None, 5)
    rows = (await within(beside.log.read(user, 2))).rows
    assert [(row.seq, decode(row.frame).type) for row in rows] == [(3, "thread_deleted")]


async def test_a_revocation_elsewhere_is_known_as_soon_as_it_is_told(beside: Kernel) -> None:
    """Signed out at another process: whoever delivers here knows the newer revision without a poll."""
    user = await beside.user()
    feed = await at_the_head(beside, user)
    tell(beside, "elsewhere")
    await within(beside.store.write(user, lambda tx: tx.revoke(user)))
    await eventually(lambda: feed.woken and feed.follower.auth_rev == 1, 5)


async def test_an_account_that_went_elsewhere_is_asked_after(beside: Kernel) -> None:
    """The account was deleted at another process and its log with it: its followers wake with a newer revision, so that their sessions
    are checked, and found gone."""
    user = await beside.user()
    feed = await at_the_head(beside, user)
    await within(beside.store.write("", lambda tx: tx.sql("DELETE FROM heads WHERE user_id = ?", (user,)) and None))
    await within(beside.log.look())
    assert feed.woken
    assert feed.follower.auth_rev == 1


async def test_a_new_epoch_ends_every_registration_at_once(beside: Kernel) -> None:
    """When the logs have begun anew, each follower is woken and told that it is over; one that comes then is not."""
    users = [await beside.user() for _ in range(2)]
    feeds = [await at_the_head(beside, user) for user in users]
    tell(beside, "now")
    await within(beside.store.write("", lambda tx: tx.publish(Renewed())))
    await eventually(lambda: all(feed.woken and feed.follower.over for feed in feeds), 5)
    again = await at_the_head(beside, users[0])
    assert not again.follower.over
    feeds[0].follower.close()
    assert users[0] in beside.log._streams, "the end of an old registration takes a new one's stream away"


async def test_of_whom_not_both_are_known_is_in_doubt(beside: Kernel) -> None:
    """A log lies in a cell that is away, so nobody can say whether its user was signed out: nothing is given from memory, whoever
    delivers is told to ask first, and the others' logs are looked at all the same. When the cell is back, so is everything."""
    user, other = await beside.user(), await beside.user()
    held = [await beside.running(one) for one in (user, other)]
    feed, foreign = await at_the_head(beside, user), await at_the_head(beside, other)
    await beside.append(held[0], beside.thought(held[0]))
    await eventually(lambda: beside.log.recent(user, 2), 5)
    cell = Telling(beside.store)
    cell.away = True
    beside.store.apart = lambda user_id: cell if user_id == user else None  # type: ignore[method-assign]
    tell(beside, "lost")
    await within(beside.store.write(user, lambda tx: tx.revoke(user)))
    await beside.append(held[1], beside.thought(held[1]))
    await within(beside.log.look())
    assert (feed.follower.doubted, feed.follower.auth_rev, beside.log.recent(user, 2)) == (True, 0, None)
    assert (foreign.follower.doubted, foreign.follower.head) == (False, 3)
    cell.away = False
    for _ in range(2):  # what is known of a revision does not grow by looking
        await within(beside.log.look())
    assert (feed.follower.doubted, feed.follower.auth_rev) == (False, 1)
    recent = beside.log.recent(user, 2)
    assert recent is not None
    assert [row.seq for row in recent.rows] == [3]

"""The ring is the database: whatever is committed, followed, read, lost, doubled or late, in any order."""

import asyncio
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

import quintet.log.stream as stream_module
from log.feeds import Feed, Telling
from quintet.events import decode
from quintet.log import Log
from quintet.log.reading import read_in
from quintet.runs import Leased
from support.databases import Database
from support.kernel import WAIT, Kernel
from support.machines import run_machine

pytestmark = pytest.mark.l2

numbers = st.integers(0, 10**6)


class World:
    """One started store for all examples, its loop driven by hand so that what is told waits until the loop turns."""

    def __init__(self, database: Database) -> None:
        self.runner = asyncio.Runner()
        self.ways = cycle(["now", "lost", "doubled", "held"])  # each machine begins with the next
        self.telling = Telling(database.open())
        self.log = Log(self.telling, poll_seconds=3600)
        self.kernel = Kernel(self.telling, self.log)
        self.runner.run(self.telling.start())
        self.runner.run(self.log.start())

    def close(self) -> None:
        """End it."""
        self.runner.run(self.log.close())
        self.runner.run(self.telling.close())
        self.runner.close()


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A store whose tellings can be disturbed."""
    made = World(database)
    yield made
    made.close()


class Following(RuleBasedStateMachine):
    """Two users with a run each; feeds come, read in pieces and go while events are appended and tellings are disturbed."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.run = world.runner.run
        self.held: list[Leased] = []
        for _ in range(2):
            user = self.run(world.kernel.user())
            self.held.append(self.run(world.kernel.running(user)))
        self.revisions = [0, 0]
        self.feeds: list[Feed] = []
        self.gone: list[Feed] = []
        for which in (0, 1, 0, 1):
            self.follow(which=which, place=0, caught_up=True)
        world.telling.how = next(world.ways)

    def stored(self, user_id: str) -> list[Any]:
        """What the database holds, read without the log."""
        batch = self.world.telling.submit_read(lambda tx: read_in(tx, user_id, 0, 10**6, 10**9)).result(WAIT)
        return list(batch.rows)

    @rule(which=st.integers(0, 1), count=st.integers(1, 7), size=st.sampled_from([1, 1, 1500]), turns=st.booleans())
    def append(self, which: int, count: int, size: int, turns: bool) -> None:
        """Append events; what is told of it waits for the loop unless it `turns`."""
        run, kernel = self.held[which], self.world.kernel
        drafts = [kernel.thought(run, "x" * size) for _ in range(count)]
        if turns:
            self.run(kernel.append(run, *drafts))
        else:
            self.world.log.append_nowait(run.user_id, run.run_id, run.attempt, drafts).result(WAIT)

    @rule(which=st.integers(0, 1))
    def revoke(self, which: int) -> None:
        """Raise a user's revision."""
        user = self.held[which].user_id
        self.world.telling.submit(user, lambda tx: tx.revoke(user)).result(WAIT)
        self.revisions[which] += 1

    @rule(how=st.sampled_from(["now", "now", "lost", "doubled", "held"]))
    def disturb(self, how: str) -> None:
        """From now on commits are told like this."""
        self.world.telling.how = how

    @rule(which=st.integers(0, 1), revoked=st.booleans())
    def lose(self, which: int, revoked: bool) -> None:
        """Readers who are at the head miss a commit, as one made beside this process."""
        self.poll()
        how, self.world.telling.how = self.world.telling.how, "lost"
        self.append(which=which, count=1, size=1, turns=True)
        if revoked:
            self.revoke(which=which)
        self.world.telling.how = how

    @rule(backwards=st.booleans())
    def release(self, backwards: bool) -> None:
        """Tell what was held, in order or not."""
        self.world.telling.release(backwards=backwards)

    @rule(which=st.integers(0, 1), place=numbers, caught_up=st.booleans())
    def follow(self, which: int, place: int, caught_up: bool) -> None:
        """A new feed, from anywhere. Having registered first, its reading reaches everything committed before it came."""
        user = self.held[which].user_id
        rows = self.stored(user)
        at = place % (len(rows) + 1)
        feed = Feed(self.world.log, user)
        self.run(feed.begin(decode(rows[at - 1].frame).cursor if at else "0"))
        self.feeds.append(feed)
        if caught_up:
            self.run(feed.catch_up())
            assert feed.last >= len(rows)

    @rule(which=st.integers(0, 1), count=st.integers(1, 3))
    def live(self, which: int, count: int) -> None:
        """What is appended while all is well reaches the feeds that are awake."""
        how, self.world.telling.how = self.world.telling.how, "now"
        self.append(which=which, count=count, size=1, turns=True)
        self.world.telling.how = how
        for feed in self.feeds:
            self.run(feed.step())

    @precondition(lambda self: self.feeds)
    @rule(place=numbers, limit=st.sampled_from([1, 2, 256]), size=st.sampled_from([1, 2000, 262144]))
    def read(self, place: int, limit: int, size: int) -> None:
        """A feed that was woken reads a piece."""
        self.run(self.feeds[place % len(self.feeds)].step(limit=limit, size=size))

    @precondition(lambda self: self.feeds)
    @rule(place=numbers)
    def look_in_the_ring(self, place: int) -> None:
        """The ring alone, without waiting: it may not know, but what it says is so."""
        feed = self.feeds[place % len(self.feeds)]
        batch = self.world.log.recent(feed.user_id, feed.last)
        if batch is not None:
            feed.apply(batch.rows)

    @precondition(lambda self: self.feeds)
    @rule(place=numbers)
    def leave(self, place: int) -> None:
        """A feed ends; twice is harmless."""
        feed = self.feeds.pop(place % len(self.feeds))
        feed.follower.close()
        feed.follower.close()
        feed.woken = False
        self.gone.append(feed)

    @rule()
    def poll(self) -> None:
        """The slow poll: whatever was lost, every feed is woken that is behind, and reads to the end."""
        self.run(self.world.log.look())
        for feed in self.feeds:
            self.run(feed.catch_up())
            rows = self.stored(feed.user_id)
            assert feed.last == len(rows)
            which = [run.user_id for run in self.held].index(feed.user_id)
            assert feed.follower.auth_rev == self.revisions[which]
            assert feed.follower.head == len(rows)

    def teardown(self) -> None:
        """Every byte of every feed is the database's."""
        self.poll()
        assert not any(feed.woken for feed in self.gone), "a feed that has left was woken"
        for feed in self.feeds + self.gone:
            assert feed.rows == self.stored(feed.user_id)[feed.start : feed.last]
        for feed in self.feeds:
            feed.follower.close()
        self.world.telling.release()
        self.world.telling.how = "now"
        self.run(asyncio.sleep(0))
        assert not self.world.log._streams, "a log that nobody follows is still kept"


def test_the_ring_is_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any interleaving of appending, following, reading and disturbed wake-ups: never a hole, a repeat, a foreign event or another
    byte; after the poll nothing is missing. The ring is made small, so that its bounds are met all the time."""
    monkeypatch.setattr(stream_module, "RING_EVENTS", 8)
    monkeypatch.setattr(stream_module, "RING_BYTES", 6000)
    run_machine(partial(Following, world), examples=50, steps=30)
    assert {"lost", "doubled", "held", "now"} <= set(world.telling.counts), (
        "nothing was disturbed: the run proved nothing"
    )

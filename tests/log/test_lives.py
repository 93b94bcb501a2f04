"""The same life on every database: whoever reads sees the same, whether old events are deleted or wait for the end of their segment."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from quintet import runs
from quintet.log import expiring, segments
from quintet.log.numbers import Head
from quintet.runs import Leased
from support.databases import SqliteDatabase
from support.days import DAY, House, opened
from support.postgres import PostgresDatabase

pytestmark = pytest.mark.l2


class Script:
    """The same life on every database that it is told on, by chance."""

    def __init__(self, seed: int, houses: list[House]) -> None:
        self.chance = random.Random(seed)
        self.houses = houses
        self.users: list[list[str]] = []
        self.open: list[tuple[int, list[Leased]]] = []
        self.ended: list[tuple[int, list[Leased]]] = []

    async def begin(self) -> None:
        """Three users."""
        self.users = [[await house.kernel.user() for house in self.houses] for _ in range(3)]

    async def step(self) -> None:
        """One thing that happens."""
        kind = self.chance.choices(["open", "think", "close", "delete", "days"], [4, 6, 4, 1, 5])[0]
        await getattr(self, f"_{kind}")()

    async def _open(self) -> None:
        user = self.chance.randrange(3)
        if sum(one == user for one, _ in self.open) < 3:
            pairs = zip(self.houses, self.users[user], strict=True)
            self.open.append((user, [await house.kernel.running(name) for house, name in pairs]))

    async def _think(self) -> None:
        if self.open:
            _, leased = self.chance.choice(self.open)
            for house, run in zip(self.houses, leased, strict=True):
                await house.kernel.append(run, house.kernel.thought(run))

    async def _close(self) -> None:
        if self.open:
            user, leased = self.open.pop(self.chance.randrange(len(self.open)))
            for house, run in zip(self.houses, leased, strict=True):
                await house.kernel.close(run, runs.Failed("agent_error"))
            self.ended.append((user, leased))

    async def _delete(self) -> None:
        if self.ended:
            user, leased = self.ended.pop(self.chance.randrange(len(self.ended)))
            for house, run, name in zip(self.houses, leased, self.users[user], strict=True):
                await house.delete(name, run)

    async def _days(self) -> None:
        gone, looks = self.chance.choice([0.1, 0.5, 1, 3, 12]), self.chance.choice([0, 1, 1, 2])
        for house in self.houses:
            house.clock.now += int(gone * DAY)
            await house.look(looks)


async def lived(seed: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A life by chance. Raises AssertionError: the two do not show the same, or PostgreSQL's tables become many."""
    for module in (expiring, segments):
        monkeypatch.setattr(module, "_USERS", 2)
        monkeypatch.setattr(module, "_PORTION", 3)
    async with opened(SqliteDatabase(folder)) as one, opened(PostgresDatabase()) as other:
        script = Script(seed, [one, other])
        await script.begin()
        for number in range(120):
            await script.step()
            for names in script.users:
                shown = [await house.readable(name) for house, name in zip(script.houses, names, strict=True)]
                assert shown[0] == shown[1], f"step {number}: they are told apart"
        for _ in range(4):
            await script._days()
        await other.look(2)
        assert len(other.tables()) <= 13


@pytest.mark.parametrize("seed", range(6))
async def test_whoever_reads_sees_what_sqlite_would_show(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same life by chance on both databases: after each step every user's log is the same, and PostgreSQL's tables stay few."""
    await lived(seed, tmp_path, monkeypatch)


async def _carry_nothing(_self: segments.Segments, _number: int) -> None:
    """Drop a segment with whatever can be read in it."""


def _newest_alone(head: Head, _after: int) -> int:
    """Ask the newest segment, wherever one reads from."""
    return head.segment


@pytest.mark.sabotage
@pytest.mark.parametrize(
    ("where", "what", "planted"),
    [(segments.Segments, "_carry", _carry_nothing), (Head, "segment_of", _newest_alone)],
    ids=["carry_nothing", "newest_alone"],
)
async def test_a_planted_defect_is_seen(
    where: type,
    what: str,
    planted: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """Events that go although they could be read, and events that are there and not read: the life sees them within six seeds."""
    record_property("sabotage", f"P3   {planted.__name__.lstrip('_')}")  # type: ignore[attr-defined]
    monkeypatch.setattr(where, what, planted)
    for seed in range(6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            await lived(seed, folder, monkeypatch)
        except AssertionError:
            return
    pytest.fail("nobody saw it")

"""What can be wrong around a running server, patched into its process and switched by a file: a disk, a clock, wake-ups, another worker.

1. The conditions stand in the file `FAULT_WEATHER` as a JSON object, replaced whole by the test (`climate.py`); each patch looks at it
   whenever it is passed.
2. Each time one takes effect it leaves a word in the file `FAULT_MET`: a fault that was never met proves nothing.
3. Private names are patched on purpose. When the product changes and a patch finds nothing, the server does not start.
"""

import inspect
import json
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from quintet import sources
from quintet.delivery.config import GatewayConfig
from quintet.engine.limits import Limits
from quintet.log import Fenced, road
from quintet.log.numbers import Append
from quintet.runs import Failed, Moment, close
from quintet.store import sqlite
from quintet.store.ballast import Ballast
from quintet.store.base import Tx
from quintet.store.wakes import Wakes
from support.patching import replace

__all__ = ["CONDITIONS", "Weather", "shorten"]

PAGE_BYTES = 4096


class Weather:
    """The conditions as they stand, and what was met of them."""

    def __init__(self, file: Path, met: Path) -> None:
        self._file = file
        self._met = met
        self._stamp: tuple[int, int] = (0, 0)
        self._told: dict[str, Any] = {}

    def now(self, name: str) -> Any:
        """One condition; None where it is not set."""
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return None
        stamp = (status.st_ino, status.st_mtime_ns)
        if stamp != self._stamp:
            self._told, self._stamp = json.loads(self._file.read_text()), stamp
        return self._told.get(name)

    def met(self, word: str) -> None:
        """It has taken effect once."""
        handle = os.open(self._met, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{word}\n".encode())
        finally:
            os.close(handle)


def slow(weather: Weather) -> None:
    """`slow`: seconds that a commit takes longer."""

    def commit(self: Any) -> None:
        if seconds := weather.now("slow"):
            time.sleep(seconds)
            weather.met("slow")
        old(self)

    old = replace(sqlite._Connection, "commit", commit)


def gone(weather: Weather) -> None:
    """`gone`: the database cannot be reached, for writers and readers."""

    def begin(self: Any) -> Tx:
        if weather.now("gone"):
            weather.met("gone")
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return old(self)  # type: ignore[no-any-return]

    old = replace(sqlite._Connection, "begin", begin)


def full(weather: Weather) -> None:
    """`full`: the disk has so many pages left, and the ballast when it is given up. SQLite itself then finds no room."""
    left: list[int] = []  # empty: as many as anybody wants

    def begin(self: Any) -> Tx:
        tx: Tx = old(self)
        if self._begin != "BEGIN IMMEDIATE":
            return tx
        wanted = weather.now("full")
        if wanted is not None and not left:
            left.append(wanted)
        elif wanted is None and left:
            left.clear()
            tx.sql("PRAGMA max_page_count = 1073741823").fetchone()
        if left and left[-1]:
            used = tx.sql("PRAGMA page_count").fetchone()[0]
            tx.sql(f"PRAGMA max_page_count = {used + left[-1]}").fetchone()
            left[-1] = 0
        return tx

    def give_up(self: Ballast) -> bool:
        weather.met("full")
        held: bool = old_give_up(self)
        if held and left:
            left[-1] = self._size // PAGE_BYTES
        return held

    def take(self: Ballast, *, again: bool = False) -> bool:
        return False if again and weather.now("full") is not None else bool(old_take(self, again=again))

    old = replace(sqlite._Connection, "begin", begin)
    old_give_up = replace(Ballast, "give_up", give_up)
    old_take = replace(Ballast, "take", take)


def wakes(weather: Weather) -> None:
    """`wakes`: they are `lost`, `doubled`, or `late` and in another order. Those of workers and those of feeds."""
    chance = random.Random(1)
    kept: list[Callable[[], None]] = []

    def through(tell: Callable[[], None]) -> None:
        how = weather.now("wakes")
        if how is not None:
            weather.met(f"wakes {how}")
        if how == "late":
            kept.append(tell)
            if len(kept) > 3:
                chance.shuffle(kept)
        elif how != "lost":
            for _ in range(1 + (how == "doubled")):
                tell()
        while kept and (how != "late" or len(kept) > 3):
            kept.pop()()

    def wake(self: Wakes, topics: Iterable[str]) -> None:
        named = list(topics)
        if named:
            through(lambda: old_wake(self, named))

    def committed(self: road.Log, facts: Sequence[Any]) -> None:
        told = list(facts)
        through(lambda: old_committed(self, told))

    old_wake = replace(Wakes, "wake", wake)
    old_committed = replace(road.Log, "_committed", committed)


def clock(weather: Weather) -> None:
    """`clock`: seconds by which the wall clock is wrong."""

    def now_ms() -> int:
        return int(old()) + round(1000 * (weather.now("clock") or 0))

    old = replace(sources, "_now_ms", now_ms)
    first, *rest = sources.Sources.__init__.__defaults__ or ()
    assert first is old, "the first default of Sources is its wall clock"
    sources.Sources.__init__.__defaults__ = (now_ms, *rest)


def taken(weather: Weather) -> None:
    """`taken`: so many runs are taken over by another worker, which ends them at its own attempt; and each append that was fenced."""
    done: list[object] = []

    def gather(tx: Tx, appends: Sequence[Append]) -> Any:
        if len(done) < (weather.now("taken") or 0) and _take_over(tx, appends[0]):
            done.append(None)
            weather.met("taken")
        answers = old(tx, appends)
        for answer in answers:
            if isinstance(answer, Fenced):
                weather.met("fenced")
        return answers

    old = replace(road, "gather", gather)


def _take_over(tx: Tx, append: Append) -> bool:
    place = (append.user_id, append.run_id)
    owned = "UPDATE runs SET attempt = attempt + 1 WHERE user_id = ? AND id = ? AND state = 'running' RETURNING attempt"
    row = tx.sql(owned, place).fetchone()
    if row is None:
        return False
    close(tx, *place, row[0], Failed("worker_lost"), Moment(time.time_ns() // 1_000_000, os.urandom(16)))
    return True


def shorten(periods: dict[str, float]) -> None:
    """Other defaults for the sockets' and the engine's times: a test passes every one of them several times."""
    for name, value in periods.items():
        homes = [one for one in (GatewayConfig, Limits) if name in one.__slots__]
        assert len(homes) == 1, f"{name} is no period of sockets or agents"
        init: Any = homes[0].__init__
        if name in (init.__kwdefaults__ or {}):
            init.__kwdefaults__[name] = value
        else:
            place = list(inspect.signature(init).parameters).index(name) - 1
            defaults = list(init.__defaults__ or ())
            defaults[place] = value
            init.__defaults__ = tuple(defaults)


CONDITIONS: dict[str, Callable[[Weather], None]] = {
    condition.__name__: condition for condition in (slow, gone, full, wakes, clock, taken)
}

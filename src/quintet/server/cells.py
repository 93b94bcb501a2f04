"""Each database of an installation with cells, for `quintet status`: where it is, what it holds, what waits in it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from quintet.settings import Settings
from quintet.store.cells import Holding, ranges
from quintet.store.cells.holding import unfit
from quintet.store.cells.shards import address_of
from quintet.store.nodes import Node

__all__ = ["CellState", "cell_states", "map_problems", "misplaced"]


class CellState(NamedTuple):
    """A database: `cell 1` as `/readyz` calls it, its address without who signs in, the shards that it holds. Runs and logs are its own.

    One that does not answer has only its name and address.
    """

    name: str
    address: str
    shards: str = ""
    queued: int = 0
    running: int = 0
    oldest_ready_ms: int | None = None
    logs: int = 0
    events: int = 0
    answers: bool = True

    def view(self) -> dict[str, Any]:
        """As JSON."""
        waited = self.oldest_ready_ms
        told = {name: value for name, value in self._asdict().items() if name != "oldest_ready_ms"}
        return {**told, "oldest_ready_seconds": None if waited is None else round(waited / 1000, 1)}


def cell_states(settings: Settings, found: Sequence[Any]) -> list[CellState]:
    """Of what each database tells, that of the accounts first; None for one that is away. None at all where there are no cells."""
    if not settings.cells:
        return []
    urls = dict.fromkeys([settings.database, *filter(None, settings.places)])
    home: Holding | None = found[0].holding
    holders = home.holders if home else {}
    states = []
    for number, (url, read) in enumerate(zip(urls, found, strict=True)):
        name = f"cell {number}" if number else "accounts"
        if read is None:
            states.append(CellState(name, address_of(url), answers=False))
            continue
        held = [shard for shard, holder in sorted(holders.items()) if read.holding and holder == read.holding.name]
        figures = (read.lag.queued, read.lag.running, read.lag.oldest_ready_ms, read.logs.logs, read.logs.events)
        states.append(CellState(name, address_of(url), ranges(held), *figures))
    return states


def misplaced(settings: Settings, found: Sequence[Any]) -> list[str]:
    """In what the map of whoever asks is not what the databases know, a sentence each. `found`: see `cell_states`."""
    places = ["" if url == settings.database else url for url in settings.places]
    home: Holding | None = found[0].holding
    if not places:
        return []
    if home is None or not home.holders:
        return ["Nobody has written down which cell holds what: quintet migrate does, and no server starts before."]
    there = zip(dict.fromkeys(["", *filter(None, places)]), found, strict=True)
    problems = [unfit(places, url, home, read.holding) for url, read in there if read is not None]
    return [f"{problem.what}. {problem.fix}" for problem in problems if problem is not None]


def map_problems(home: Holding | None, nodes: Sequence[Node]) -> Iterator[str]:
    """What somebody should look at, a sentence each. `nodes`: those that live."""
    maps = Counter(node.map for node in nodes)
    if len(maps) > 1:
        (usual, _), *others = maps.most_common()
        odd = ", ".join(f"{node.role} {node.id} on {node.host}" for node in nodes if node.map != usual)
        yield f"Processes have {1 + len(others)} maps of the cells (QUINTET_CELLS): {odd} not that of most."
    moving = sorted(shard for shard, holder in (home.holders if home else {}).items() if holder.startswith("-"))
    if moving:
        yield f"Shards {ranges(moving)} are on their way to another cell: a move is under way, or waits to be started again."

"""What does it cost to leave one process? The same load on SQLite, on PostgreSQL, with two gateways and a worker, and the home-made way.

One event for each user in turn, stored before it is delivered but for the home-made way (FastAPI + Redis Streams). CPU is that of all
processes: gateways, the worker, PostgreSQL or Redis. Then whole runs of ten events. Then more and more sockets, each with as many events a
second: does the cost of one stay what it was?
"""

import argparse
import sys
from typing import Any

from benchmarks.kit.database import Database
from benchmarks.kit.figures import kept_up, median, publish, table
from benchmarks.kit.machine import facts, file_limit, warn_if_busy
from benchmarks.kit.process import Process
from benchmarks.kit.stage import OWN, Load, Stage, reader, served, stage
from benchmarks.kit.wish import options
from benchmarks.peers import PEERS, missing
from benchmarks.runs import PATIENT

TITLES = {
    "quintet": "SQLite, one process",
    "postgres": "PostgreSQL, one process",
    "gateways": "PostgreSQL, two gateways, a worker",
    "fastapi": "FastAPI + Redis Streams (not durable)",
}
GROWING = ("quintet", "postgres")
_KEYS = ("cpu_us", "beside_us", "keeper_us", "per_second")


def main() -> None:
    """Measure, and print."""
    wish = _wish()
    warn_if_busy()
    names = [name for name in wish.only if name not in PEERS or missing(PEERS[name]) is None]
    loads = [_paced(wish.users, rate, wish) for rate in wish.rates]
    loads.append(Load(wish.users, max(1, wish.flood // wish.users), 0, wish.bytes))
    beside: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in names}
    for number in range(wish.rounds):
        for name in names:
            print(f"Round {number + 1} of {wish.rounds}: {TITLES[name]}", file=sys.stderr)
            with stage(name, file_limit(wish.users)) as on:
                beside[name].append(_played(on, loads))
    figures = {name: [_middle(column) for column in zip(*found, strict=True)] for name, found in beside.items()}
    for number, load in enumerate(loads):
        _show(_pace(load), {TITLES[name]: found[number] for name, found in figures.items()}, load)
    whole = {name: _runs(name, wish) for name in names if name in OWN}
    columns = ["", "runs/s", "CPU µs a run", "of it gateways", "of it database", "p50 ms", "p99 ms", "failed"]
    table("Whole runs of ten events", columns, [(TITLES[name], *found.values()) for name, found in whole.items()])
    growing = {name: _grown(name, wish) for name in GROWING if name in names}
    for name, by_sockets in growing.items():
        rows = {f"{sockets} sockets": found for sockets, found in by_sockets.items()}
        _show(f"{TITLES[name]}, {wish.each:g} event a second to each", rows, None)
    rates = [load.rate for load in loads]
    publish(
        "fleet",
        {"machine": facts(), "users": wish.users, "rounds": wish.rounds, "rates": rates, "each": wish.each, "titles": TITLES,
         "figures": figures, "runs": whole, "growing": growing},
        keep=wish.keep,
    )  # fmt: skip


def _paced(users: int, rate: float, wish: argparse.Namespace) -> Load:
    return Load(users, max(1, round(rate * wish.seconds / users)), rate, wish.bytes)


def _pace(load: Load) -> str:
    return f"{load.users:,} sockets, " + (f"{load.rate:,.0f} events/s" if load.rate else "as fast as it goes")


def _played(on: Stage, loads: list[Load]) -> list[dict[str, Any]]:
    on.play(Load(loads[0].users, max(1, 5_000 // loads[0].users), 0, loads[0].size))  # warm
    return [on.play(load) for load in loads]


def _runs(name: str, wish: argparse.Namespace) -> dict[str, Any]:
    """Fifty users who send the next message when the last run has ended."""
    print(f"{TITLES[name]}: whole runs", file=sys.stderr)
    rounds = []
    for _ in range(wish.rounds):
        with served(name, 50, variables=PATIENT) as found, reader() as readers:
            readers.ask(do="connect", url=found.url, also=found.also, dialect="quintet", tokens=found.tokens)
            readers.ask(within=60, do="converse", agent="ten", seconds=1.0)  # warm
            counted: list[Process | Database] = [
                found.process,
                *found.beside,
                *([found.database] if found.database else []),
            ]
            before = [one.cpu() for one in counted]
            seen = readers.ask(within=wish.seconds + 60, do="converse", agent="ten", seconds=wish.seconds)
            used = [one.cpu().since(old).total / max(1, seen["runs"]) for one, old in zip(counted, before, strict=True)]
            beside, keeper = sum(used[1 : 1 + len(found.beside)]), used[-1] if found.database else 0.0
            rounds.append(
                (seen["per_second"], sum(used), beside, keeper, seen["p50"] / 1000, seen["p99"] / 1000, seen["failed"])
            )
    keys = ("per_second", "cpu_us", "beside_us", "keeper_us", "p50_ms", "p99_ms")
    middle = {key: round(median(column), 1) for key, column in zip(keys, zip(*rounds, strict=True), strict=False)}
    return {**middle, "failed": sum(one[-1] for one in rounds)}


def _grown(name: str, wish: argparse.Namespace) -> dict[int, dict[str, Any]]:
    """The figures by number of sockets; what is there without any load is in the memory alone."""
    found = {}
    for sockets in wish.sockets:
        print(f"{TITLES[name]}: {sockets} sockets", file=sys.stderr)
        users = file_limit(sockets)
        with stage(name, users) as on:
            rounds = [_played(on, [_paced(users, wish.each * users, wish)])[0] for _ in range(wish.rounds)]
            mb = sum(process.memory()["pss"] for process in (on.server, *on.beside)) / 2**20
        found[users] = {**_middle(tuple(rounds)), "mb": round(mb, 1)}
    return found


def _middle(rounds: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """Medians over the rounds; what must not happen is added up."""
    found: dict[str, Any] = {}
    for key in _KEYS:
        values = [one[key] for one in rounds if one[key] is not None]
        found[key] = round(median(values), 2) if values else None
    for key in ("p50", "p99"):
        found[f"{key}_us"] = round(median(one["delays_us"].get(key, 0.0) for one in rounds), 1)
    return {**found, "lost": sum(one["missing"] + one["disorder"] for one in rounds)}


def _show(title: str, found: dict[str, dict[str, Any]], load: Load | None) -> None:
    rows = [
        (
            name,
            one["cpu_us"],
            one["beside_us"],
            one["keeper_us"],
            f"{one['per_second']:,.0f}" + ("" if load is None or kept_up(one["per_second"], load.rate) else " behind"),
            one["p50_us"] / 1000,
            one["p99_us"] / 1000,
            one["lost"],
            one.get("mb"),
        )
        for name, one in found.items()
    ]
    columns = ["", "CPU µs an event", "of it gateways", "of it database", "events/s", "p50 ms", "p99 ms", "lost", "MB"]
    table(title, columns, rows)


def _wish() -> argparse.Namespace:
    parser = options("fleet", __doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--rates", type=float, nargs="*", default=[1000, 2000], help="events a second")
    parser.add_argument("--seconds", type=float, default=6, help="of each paced measurement")
    parser.add_argument("--flood", type=int, default=30_000, help="events of the measurement without a pace")
    parser.add_argument("--bytes", type=int, default=424)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sockets", type=int, nargs="*", default=[100, 1000, 5000])
    parser.add_argument(
        "--each", type=float, default=0.2, help="events a second to each socket, where their number grows"
    )
    parser.add_argument("--only", nargs="+", choices=list(TITLES), default=list(TITLES))
    wish = parser.parse_args()
    if wish.quick:
        wish.users, wish.rates, wish.seconds, wish.flood, wish.rounds, wish.sockets, wish.each = (
            50,
            [200],
            2,
            2000,
            1,
            [20, 100],
            2,
        )
    return wish


if __name__ == "__main__":
    main()

"""What does it cost to push an event to its user's socket? CPU of the whole server, all threads, and of Redis where there is one.

Quintet stores every event durably before it delivers it, and its events are told by agents in running runs, each checked against its fence.
The peers push the same number of bytes to as many sockets at the same rate; Starlette stores them as durably, the others do not.
Rounds alternate, figures are medians.
"""

import argparse
import sys
from typing import Any

from benchmarks.kit.figures import kept_up, median, publish, table
from benchmarks.kit.machine import facts, file_limit, warn_if_busy
from benchmarks.kit.stage import Load, stage
from benchmarks.kit.wish import options
from benchmarks.peers import PEERS, missing

TITLES = {"quintet": "Quintet", **{name: peer.title for name, peer in PEERS.items()}}
DURABLE = {"quintet", "starlette"}


def main() -> None:
    """Measure, and print."""
    wish = _wish()
    users = file_limit(wish.users)
    warn_if_busy()
    seconds = wish.seconds
    loads = [Load(users, max(1, round(rate * seconds / users)), rate, wish.bytes) for rate in wish.rates if rate > 0]
    if 0 in wish.rates:
        loads.append(Load(users, max(1, round(wish.flood / users)), 0, wish.bytes))
    names = [name for name in TITLES if name in wish.only]
    left_out = {name: why for name in names if name in PEERS and (why := missing(PEERS[name]))}
    for name, why in left_out.items():
        print(f"{TITLES[name]} is left out: {why}", file=sys.stderr)
    rounds: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in names if name not in left_out}
    for number in range(wish.rounds):
        for name, found in rounds.items():
            print(f"Round {number + 1} of {wish.rounds}: {TITLES[name]}", file=sys.stderr)
            cores = ("0", "1") if wish.pin else (None, None)
            with stage(name, users, cores) as on:
                on.play(Load(users, 10_000 // users, 0, wish.bytes))  # warm
                found.append([on.play(load) for load in loads])
    figures = {name: [_middle(column) for column in zip(*found, strict=True)] for name, found in rounds.items()}
    for number, load in enumerate(loads):
        _show(load, {name: found[number] for name, found in figures.items()})
    rates = [load.rate for load in loads]
    publish(
        "push", {"machine": facts(), "users": users, "rounds": wish.rounds, "rates": rates, "figures": figures,
                 "titles": TITLES, "durable": sorted(DURABLE), "left_out": left_out}, keep=wish.keep,
    )  # fmt: skip


def _middle(rounds: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """Medians over the rounds; what must not happen is added up."""
    found: dict[str, Any] = {"each_round_us": [round(one["cpu_us"], 2) for one in rounds]}
    for key, of in {
        "cpu_us": "cpu_us",
        "system_us": "system_us",
        "redis_us": "keeper_us",
        "per_second": "per_second",
        "bytes": "bytes",
    }.items():
        values = [one[of] for one in rounds if one[of] is not None]
        found[key] = round(median(values), 2) if values else None
    for key in ("p50", "p99"):
        found[f"{key}_us"] = round(median(one["delays_us"].get(key, 0.0) for one in rounds), 1)
    return {**found, **{key: sum(one[key] for one in rounds) for key in ("events", "missing", "disorder")}}


def _show(load: Load, figures: dict[str, dict[str, Any]]) -> None:
    at = f"{load.rate:,.0f} events/s" if load.rate else "as fast as it goes"
    own = figures.get("quintet", {}).get("cpu_us")
    rows = [
        (
            TITLES[name] + (" (durable)" if name in DURABLE else ""),
            one["cpu_us"],
            one["system_us"],
            one["redis_us"],
            f"{one['cpu_us'] / own:.1f}×" if own else None,
            f"{one['per_second']:,.0f}" + ("" if kept_up(one["per_second"], load.rate) else " behind"),
            one["p50_us"] / 1000,
            one["p99_us"] / 1000,
            one["missing"] + one["disorder"],
        )
        for name, one in figures.items()
    ]
    columns = ["CPU µs an event", "all", "of it system", "of it Redis", "ratio", "events/s", "p50 ms", "p99 ms", "lost"]
    table(f"Push, {load.users:,} connections, {at}", columns, rows)


def _wish() -> argparse.Namespace:
    parser = options("push", __doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--rates", type=float, nargs="+", default=[2000, 5000, 0], help="events a second; 0: no pace")
    parser.add_argument("--seconds", type=float, default=6, help="of each paced measurement")
    parser.add_argument("--flood", type=int, default=60_000, help="events of the measurement without a pace")
    parser.add_argument(
        "--bytes", type=int, default=424, help="of an event on the wire; Quintet's own take 406 and more"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(TITLES), default=list(TITLES))
    parser.add_argument("--pin", action="store_true", help="the server on one core, the clients on the other")
    wish = parser.parse_args()
    if wish.quick:
        wish.users, wish.seconds, wish.flood, wish.rounds, wish.rates = 100, 1.5, 3000, 1, [1000, 0]
    return wish


if __name__ == "__main__":
    main()

"""How long from an agent's word to the arrival at its user's socket? Durable in between: an event is committed before it leaves.

The event carries the moment it was made; the reader, another process on the same machine, compares it with the same clock.
"""

import argparse
import sys

from benchmarks.kit.figures import median, publish, table
from benchmarks.kit.machine import facts, file_limit, warn_if_busy
from benchmarks.kit.stage import Load, stage
from benchmarks.kit.wish import options


def main() -> None:
    """Measure, and print."""
    wish = _wish()
    users = file_limit(wish.users)
    warn_if_busy()
    load = Load(users, max(1, round(wish.rate * wish.seconds / users)), wish.rate, wish.bytes)
    rounds = []
    for number in range(wish.rounds):
        print(f"Round {number + 1} of {wish.rounds}", file=sys.stderr)
        with stage("quintet", users) as on:
            on.play(Load(users, max(1, 2000 // users), 0, wish.bytes))
            rounds.append(on.play(load))
    percent = {p: round(median(one["delays_us"][p] for one in rounds) / 1000, 3) for p in ("p50", "p90", "p99", "max")}
    lost = sum(one["missing"] + one["disorder"] for one in rounds)
    table(
        f"From emit to arrival, {wish.rate:,.0f} events/s to {users} users, durable, ms",
        ["", *percent, "lost"],
        [("Quintet", *(f"{value:.2f}" for value in percent.values()), lost)],
    )
    publish(
        "latency",
        {"machine": facts(), "rate": wish.rate, "users": users, "rounds": wish.rounds, "ms": percent, "lost": lost},
        keep=wish.keep,
    )


def _wish() -> argparse.Namespace:
    parser = options("latency", __doc__)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--rate", type=float, default=1000, help="events a second, all users together")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--bytes", type=int, default=424)
    parser.add_argument("--rounds", type=int, default=3)
    wish = parser.parse_args()
    if wish.quick:
        wish.seconds, wish.rounds = 2, 1
    return wish


if __name__ == "__main__":
    main()

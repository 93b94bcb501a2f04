"""How many whole runs a second, on one core? A message is sent over a socket; its run has ten events and ends; then the next.

message_accepted, agent_started, three thoughts, a tool's two events, two pieces of text, agent_completed: each durable. The server has one
core, the clients another. Every user sends the next message when the last run has ended.
"""

import argparse
import sys
import time

from benchmarks.kit.figures import median, publish, table
from benchmarks.kit.machine import facts, file_limit, warn_if_busy
from benchmarks.kit.server import quintet
from benchmarks.kit.stage import reader
from benchmarks.kit.wish import options

MUST, STRETCH = 500, 1500
# A socket may send ten frames a second; here fifty users send as many as they get answers.
PATIENT = {"QUINTET_FRAMES_PER_SECOND": "10000", "QUINTET_FRAME_BURST": "10000"}


def main() -> None:
    """Measure, and print."""
    wish = _wish()
    users = file_limit(wish.users)
    warn_if_busy()
    rounds = []
    for number in range(wish.rounds):
        print(f"Round {number + 1} of {wish.rounds}", file=sys.stderr)
        with quintet(users, cores="0", variables=PATIENT) as served, reader("1") as readers:
            readers.ask(do="connect", url=served.url, dialect="quintet", tokens=served.tokens)
            readers.ask(within=60, do="converse", agent="ten", seconds=1.0)  # warm
            before, start = served.process.cpu(), time.monotonic()
            seen = readers.ask(within=wish.seconds + 60, do="converse", agent="ten", seconds=wish.seconds)
            used, lasted = served.process.cpu().since(before), time.monotonic() - start
            rounds.append({**seen, "cpu_us": used.total / max(1, seen["runs"]), "core": used.total / 1e6 / lasted})
    figures = {
        "per_second": round(median(one["per_second"] for one in rounds), 1),
        "cpu_us": round(median(one["cpu_us"] for one in rounds), 1),
        "per_cpu_second": round(median(1e6 / one["cpu_us"] for one in rounds), 1),
        "core": round(median(one["core"] for one in rounds), 3),
        "p50_ms": round(median(one["p50"] for one in rounds) / 1000, 2),
        "p99_ms": round(median(one["p99"] for one in rounds) / 1000, 2),
        "events_per_run": median(one["events_per_run"] for one in rounds),
        "failed": sum(one["failed"] for one in rounds),
    }
    columns = [
        "",
        "runs/s",
        "CPU µs a run",
        "runs/s of CPU",
        "of one core",
        "p50 ms",
        "p99 ms",
        "events a run",
        "failed",
    ]
    row = (
        "Quintet",
        figures["per_second"],
        figures["cpu_us"],
        figures["per_cpu_second"],
        f"{figures['core']:.0%}",
        figures["p50_ms"],
    )
    table(
        f"Whole runs, {users} users one after another each, server on one core",
        columns,
        [(*row, figures["p99_ms"], figures["events_per_run"], figures["failed"])],
    )
    publish(
        "runs",
        {"machine": facts(), "users": users, "rounds": wish.rounds, "must": MUST, "stretch": STRETCH, **figures},
        keep=wish.keep,
    )


def _wish() -> argparse.Namespace:
    parser = options("runs", __doc__)
    parser.add_argument("--users", type=int, default=50, help="that have one run each; a server holds 64 at once")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    wish = parser.parse_args()
    if wish.quick:
        wish.seconds, wish.rounds = 2, 1
    return wish


if __name__ == "__main__":
    main()

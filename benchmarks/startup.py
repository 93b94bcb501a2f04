"""How long from the command to the line that says it listens? Embedded database, already migrated, files in the page cache."""

import argparse
import sys
import tempfile
import time

from benchmarks.kit.figures import median, publish, table
from benchmarks.kit.machine import facts, warn_if_busy
from benchmarks.kit.process import Process
from benchmarks.kit.wish import options


def main() -> None:
    """Measure, and print."""
    wish = _wish()
    warn_if_busy()
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as folder:
        first = _start(folder)  # makes secret, database and byte code
        times = [_start(folder) for _ in range(wish.rounds)]
    wall, cpu = [one[0] for one in times], [one[1] for one in times]
    figures = {
        "seconds": round(median(wall), 3),
        "best": round(min(wall), 3),
        "worst": round(max(wall), 3),
        "cpu_seconds": round(median(cpu), 3),
        "first_seconds": round(first[0], 3),
    }
    table(
        f"From the command to listening, {wish.rounds} warm starts, s",
        ["", "median", "best", "worst", "CPU", "the first, which migrates"],
        [("Quintet", *(f"{value:.2f}" for value in figures.values()))],
    )
    publish("startup", {"machine": facts(), "rounds": wish.rounds, **figures}, keep=wish.keep)


def _start(folder: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "quintet", "serve", "--dev", "--port", "0", "--data", folder]
    start = time.monotonic()
    with Process(command) as process:
        process.address()
        return time.monotonic() - start, process.cpu().total / 1e6


def _wish() -> argparse.Namespace:
    parser = options("startup", __doc__)
    parser.add_argument("--rounds", type=int, default=10)
    wish = parser.parse_args()
    if wish.quick:
        wish.rounds = 3
    return wish


if __name__ == "__main__":
    main()

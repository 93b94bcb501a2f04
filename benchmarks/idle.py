"""How much memory does a connected, idle user take? Growth of the whole server, divided by the connections.

Every connection is a user of its own, authenticated and following. The resident set and the proportional one; what the kernel keeps for TCP
is not in them, for nobody's server.
"""

import argparse
import time

from benchmarks.kit.figures import publish, table
from benchmarks.kit.machine import facts, file_limit, warn_if_busy
from benchmarks.kit.process import Process
from benchmarks.kit.server import quintet
from benchmarks.kit.stage import reader
from benchmarks.kit.wish import options

WARM = 50  # connections that come first, so that what is made once is there


def main() -> None:
    """Measure, and print."""
    wish = _wish()
    users = file_limit(wish.users + WARM)
    warn_if_busy()
    with quintet(users) as served, reader() as first, reader() as rest:
        first.ask(do="connect", url=served.url, dialect="quintet", tokens=served.tokens[:WARM])
        before = _settled(served.process)
        joined = rest.ask(within=120, do="connect", url=served.url, dialect="quintet", tokens=served.tokens[WARM:])
        after = _settled(served.process)
        count = joined["connected"]
        per = {kind: (after[kind] - before[kind]) / count / 1024 for kind in ("pss", "rss")}
    figures = {
        "kb_pss": round(per["pss"], 2),
        "kb_rss": round(per["rss"], 2),
        "base_mb": round(before["pss"] / 2**20, 1),
        "handshakes_per_second": round(count / joined["seconds"], 1),
    }
    table(
        f"Memory of an idle connection, {count:,} of them",
        ["", "KB (PSS)", "KB (RSS)", "server without, MB", "handshakes/s"],
        [("Quintet", *figures.values())],
    )
    publish("idle", {"machine": facts(), "connections": count, **figures}, keep=wish.keep)


def _settled(process: Process) -> dict[str, int]:
    """The memory once it has stopped changing, some seconds at most."""
    last = process.memory()
    for _ in range(20):
        time.sleep(0.5)
        now = process.memory()
        if abs(now["pss"] - last["pss"]) < 65536:
            return now
        last = now
    return last


def _wish() -> argparse.Namespace:
    parser = options("idle", __doc__)
    parser.add_argument("--users", type=int, default=2000)
    wish = parser.parse_args()
    if wish.quick:
        wish.users = 300
    return wish


if __name__ == "__main__":
    main()

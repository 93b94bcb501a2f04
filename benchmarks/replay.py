"""How fast do a thousand users get back what they missed? All of them reconnect at once and follow from the beginning of their log.

Two figures: from the first `follow`, with the sockets already there, to the last event; and with the handshakes.
"""

import argparse
import sys

from benchmarks.kit.figures import median, publish, table
from benchmarks.kit.machine import facts, file_limit, warn_if_busy
from benchmarks.kit.server import quintet
from benchmarks.kit.stage import reader
from benchmarks.kit.wish import options


def main() -> None:
    """Measure, and print."""
    wish = _wish()
    users = file_limit(wish.users)
    warn_if_busy()
    each = max(4, wish.each)
    rounds = []
    with quintet(users) as served:
        with reader() as writers:
            writers.ask(within=120, do="connect", url=served.url, dialect="quintet", tokens=served.tokens)
            writers.ask(do="expect", count=users, mark='"final":true', stamps=False)
            # Three events of each run are not thoughts: message_accepted, agent_started, agent_completed; and the answer is one more.
            writers.ask(within=120, do="send", text=str(each - 4), agent="many")
            writers.ask(within=190, do="counted", seconds=180)
        for number in range(wish.rounds):
            print(f"Round {number + 1} of {wish.rounds}", file=sys.stderr)
            with reader() as readers:
                joined = readers.ask(
                    within=120, do="connect", url=served.url, dialect="quintet", tokens=served.tokens, after=""
                )
                readers.ask(do="expect", count=users * each, stamps=False)
                before = served.process.cpu()
                started = readers.ask(within=60, do="follow", after="0")
                seen = readers.ask(within=130, do="counted", seconds=120)
                used = served.process.cpu().since(before)
                seconds = (seen["last"] - started["now"]) / 1e9
                rounds.append(
                    {
                        "per_second": seen["events"] / seconds,
                        "with_handshakes": seen["events"] / (seconds + joined["seconds"]),
                        "cpu_us": used.total / max(1, seen["events"]),
                        "lost": users * each - seen["events"] + seen["disorder"],
                    }
                )
    figures = {key: round(median(one[key] for one in rounds), 2) for key in rounds[0]}
    table(
        f"Replay to {users:,} reconnecting users, {each} events each",
        ["", "events/s", "with handshakes", "CPU µs an event", "lost"],
        [("Quintet", *figures.values())],
    )
    publish(
        "replay", {"machine": facts(), "users": users, "each": each, "rounds": wish.rounds, **figures}, keep=wish.keep
    )


def _wish() -> argparse.Namespace:
    parser = options("replay", __doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--each", type=int, default=100, help="events in each user's log")
    parser.add_argument("--rounds", type=int, default=3)
    wish = parser.parse_args()
    if wish.quick:
        wish.users, wish.rounds = 100, 1
    return wish


if __name__ == "__main__":
    main()

"""A process that does nothing but sleep for 5 ms again and again: how late it wakes up is the machine's doing, and nobody's code.

`python tests/crowds/lateness.py`: each line that it reads is answered with the largest lateness since the one before, in seconds.
"""

import sys
import threading
import time

_PAUSE = 0.005


def _main() -> None:
    worst = [0.0]

    def look() -> None:
        while True:
            begun = time.perf_counter()
            time.sleep(_PAUSE)
            worst[0] = max(worst[0], time.perf_counter() - begun - _PAUSE)

    threading.Thread(target=look, daemon=True).start()
    for _ in sys.stdin:
        largest, worst[0] = worst[0], 0.0
        sys.stdout.write(f"{largest}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()

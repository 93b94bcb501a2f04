"""Start a server that writes down what it holds: `python tests/soak/serve.py -- serve --dev …`.

The product has no switch for this. `SOAK_LOOK` names the file; `SOAK_LEAK` plants a leak, so that the soak is seen to find it.
"""

import asyncio
import os
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PERIOD = 0.5


def unfinished() -> int:
    """The tasks of all loops that have not ended."""
    tasks = asyncio.tasks
    known: Any = getattr(tasks, "_all_tasks", None) or getattr(tasks, "_scheduled_tasks", ())
    for _ in range(100):
        try:
            return sum(not task.done() for task in list(known))
        except RuntimeError:  # a loop has made one meanwhile
            continue
    return -1


def look_for_ever(to: Path) -> None:
    """Write the number of tasks to a file, twice a second."""
    beside = to.with_suffix(".new")
    while True:
        beside.write_text(str(unfinished()))
        beside.replace(to)
        threading.Event().wait(PERIOD)


def leak() -> None:
    """Every socket leaves a task behind."""
    from quintet.delivery.connections import Connections
    from support.patching import replace

    kept: list[Any] = []

    def remove(self: Connections, connection: Any) -> None:
        old(self, connection)
        kept.append(asyncio.get_running_loop().create_task(asyncio.sleep(3600)))

    old = replace(Connections, "remove", remove)


def main() -> None:
    """Go on as `quintet`."""
    from quintet.cli import main as quintet

    threading.Thread(target=look_for_ever, args=(Path(os.environ["SOAK_LOOK"]),), daemon=True).start()
    if os.environ.get("SOAK_LEAK"):
        leak()
    sys.argv = ["quintet", *sys.argv[sys.argv.index("--") + 1 :]]
    quintet()


if __name__ == "__main__":
    main()

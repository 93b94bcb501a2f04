"""How the workers of pytest-xdist get at the services: their controller starts them and says so in the environment that they inherit.

A process that only inherited the variable, for instance a pytest that a test starts, is no worker: a worker is a child of the controller.
"""

import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from quintet.testing.services.handle import Running, Shared
from quintet.testing.services.owned import Owned

__all__ = ["VARIABLE", "die_with", "joined", "told"]

VARIABLE = "QUINTET_TEST_RUN"
_LOOK = 0.5  # seconds between two looks at whether the controller lives


def told(root: Path, handles: Mapping[str, Owned]) -> str:
    """What the controller puts into the variable."""
    return json.dumps(
        {"owner": os.getpid(), "root": str(root), "services": [handle.shared().line() for handle in handles.values()]}
    )


def joined(root: Path) -> dict[str, Shared] | None:
    """The services of the run that this process is a worker of; None where it is none."""
    text = os.environ.get(VARIABLE)
    if not text or "PYTEST_XDIST_WORKER" not in os.environ:
        return None
    row = json.loads(text)
    if row["owner"] != os.getppid() or row["root"] != str(root):
        if not _lives(row["owner"]):
            os._exit(70)  # it was killed while we came up; on our own we would start services for nobody
        return None
    return {shared.name: shared for shared in map(Shared.from_line, row["services"])}


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def of_worker(shared: Mapping[str, Shared]) -> dict[str, Running]:
    """The worker's handles; a PostgreSQL with a database of its own."""
    handles: dict[str, Running] = {}
    for name, handle in shared.items():
        if handle.kind == "postgres":
            from quintet.testing.services.postgres.shared import of_worker as database_of

            handles[name] = database_of(handle, os.environ["PYTEST_XDIST_WORKER"])
        else:
            handles[name] = handle
    return handles


def die_with(controller: int, last: Callable[[], object] | None = None) -> None:
    """Ends this process when the one that started it was killed: it would go on for long, for nobody. `last` is what it does then."""
    over = threading.Event()  # never set: the process ends

    def watch() -> None:
        while os.getppid() == controller:
            over.wait(_LOOK)
        if last is not None:
            last()
        os._exit(70)

    if os.getppid() == controller or not _lives(controller):
        threading.Thread(target=watch, name="quintet-controller-watch", daemon=True).start()

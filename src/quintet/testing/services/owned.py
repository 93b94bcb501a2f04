"""A service that this process owns: its process behind a supervisor, its folder, its log, its address."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from quintet.testing.services.handle import Log, Shared
from quintet.testing.services.ports import HOST
from quintet.testing.services.processes import Supervised

__all__ = ["Owned", "surroundings"]

_OURS = ("QUINTET_", "PYTEST_")  # settings of a developer's own server, and what is pytest's business alone


class Owned(Log):
    """What the handles of all kinds share. A kind adds `start`, which makes it ready at the same address each time."""

    kind = ""

    def __init__(self, name: str, folder: Path) -> None:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        self.name = name
        self.folder = folder
        self.log = folder / f"{name}.log"
        self.host = HOST
        self.port = 0
        self.url = ""
        self.facts: dict[str, str] = {}
        self.version = ""
        self.process = Supervised(name)

    def start(self) -> None:
        """Starts it and waits until it is ready. Raises `ServiceError` with the end of its log."""
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        """See `Running`."""
        return self.process.pid if self.alive else None

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process.alive

    @property
    def exit_code(self) -> int | None:
        """How its process ended."""
        return self.process.exit_code

    def look(self, seconds: float) -> None:
        """Waits so long for news of the process."""
        self.process.look(seconds)

    def kill(self) -> None:
        """See `Running`."""
        self.process.kill()

    def restart(self) -> None:
        """See `Running`."""
        if self.alive:
            self.kill()
        self.start()

    def end(self) -> None:
        """Nothing of its processes is left afterwards."""
        self.process.end()

    def shared(self) -> Shared:
        """The handle that the workers of pytest-xdist get."""
        facts = {"version": self.version, **self.facts}
        return Shared(self.name, self.kind, self.host, self.port, self.url, self.log, self.folder, self.pid, facts)


def surroundings(added: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service of the user's own: ours, without what belongs to this run of pytest, with the variables given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    beside = str(Path(sys.executable).parent)  # the programs of this virtual environment, activated or not
    kept["PATH"] = os.pathsep.join([beside, kept.get("PATH", os.defpath)])
    kept.setdefault("PYTHONUNBUFFERED", "1")
    return kept | dict(added)

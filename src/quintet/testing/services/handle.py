"""What tests hold of a service: its address, its log, and the two things that a test may do to it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

__all__ = ["Log", "Running", "ServiceError", "Shared"]

_MOST_LOG = 4 * 1024 * 1024  # of a log that is read into a message; a service may have printed gigabytes


class ServiceError(AssertionError):
    """A service did not do what was waited for; the text says who waited for what, and ends with the service's log."""


@runtime_checkable
class Running(Protocol):
    """A service that was started and is ready."""

    name: str
    host: str
    port: int
    url: str
    log: Path
    folder: Path  # its own, removed with it

    @property
    def pid(self) -> int | None:
        """The process to signal or to sample; None while it is down."""

    def restart(self) -> None:
        """Start again at the same address, killed first where it still runs. Returns when it is ready; raises `ServiceError`."""

    def kill(self) -> None:
        """Kill -9 for the service and all its processes; returns when they are gone."""

    def tail(self, lines: int = 60) -> str:
        """The last lines of its log, with a heading."""

    def logged(self, since: int = 0) -> str:
        """Its log from a byte position; at most the last 4 MiB."""

    def log_size(self) -> int:
        """The byte position at which its log ends now."""


class Log:
    """Reading a service's log; what every handle shares."""

    name: str
    log: Path

    def tail(self, lines: int = 60) -> str:
        """See `Running`."""
        kept = self.logged().splitlines()[-lines:]
        return "\n".join([f"--- {self.name}'s log, last {len(kept)} lines ({self.log}) ---", *kept])

    def logged(self, since: int = 0) -> str:
        """See `Running`."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(since, self.log_size() - _MOST_LOG))
                return file.read(_MOST_LOG).decode(errors="replace")
        except FileNotFoundError:
            return ""

    def log_size(self) -> int:
        """See `Running`."""
        try:
            return self.log.stat().st_size
        except FileNotFoundError:
            return 0


@dataclass
class Shared(Log):
    """A service that another process of the run owns: workers of pytest-xdist share it, so none may take it down."""

    name: str
    kind: str
    host: str
    port: int
    url: str
    log: Path
    folder: Path
    pid: int | None
    facts: dict[str, str] = field(default_factory=dict)  # what its kind adds

    def restart(self) -> None:
        """Refused: other workers are using it."""
        self._refuse("restarted")

    def kill(self) -> None:
        """Refused: other workers are using it."""
        self._refuse("killed")

    def _refuse(self, what: str) -> None:
        raise ServiceError(
            f"{self.name} is shared by all workers of this run and cannot be {what} by one of them. "
            f"Use one that belongs to the test (server_factory), or run the test without -n."
        )

    def line(self) -> str:
        """This handle as a line of JSON, for the workers."""
        return json.dumps({key: str(value) if isinstance(value, Path) else value for key, value in vars(self).items()})

    @classmethod
    def from_line(cls, line: str) -> "Shared":
        """The handle out of its line."""
        row: dict[str, Any] = json.loads(line)
        return cls(**row | {"log": Path(row["log"]), "folder": Path(row["folder"])})

"""What a collect-only run has said, without what the probe itself has caused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ENDED", "Collected"]

ENDED = "pytest ended before anything was collected: "


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collect-only run said. `why_not` says why it could not be run to its end.

    `earlier` are the exceptions that ended earlier attempts, and were got out of the way for the last one.
    """

    said: Mapping[str, Any] = field(default_factory=dict)
    why_not: str = ""
    module: bool = False
    unrecognized: tuple[str, ...] = ()
    unloadable: tuple[str, ...] = ()
    """Plugins that addopts names and that cannot be imported."""
    missing_plugins: str = ""
    too_old: str = ""
    bad_mode: str = ""
    earlier: tuple[Mapping[str, Any], ...] = ()
    reads: tuple[tuple[str, str, int, bool], ...] = ()
    """Variables that were read and absent: name, file, line, and whether the reader had a default."""

    @property
    def ended(self) -> str:
        """With which words pytest ended before it imported anything of the project; empty where it did not."""
        return self.why_not.removeprefix(ENDED) if self.why_not.startswith(ENDED) else ""

    @property
    def finished(self) -> bool:
        """Whether the collection came to its end."""
        return bool(self.said.get("finished"))

    @property
    def items(self) -> list[str]:
        """The collected tests, in their order."""
        return list(self.said.get("items", ()))

    @property
    def errors(self) -> list[dict[str, Any]]:
        """What could not be collected and why; without what the probe itself has caused."""
        return [one for one in self.said.get("errors", ()) if not _ours(one)]

    @property
    def conftest(self) -> dict[str, Any] | None:
        """The conftest that could not be imported, in the last attempt."""
        one = self.said.get("conftest")
        return one if one and not _ours(one) else None

    @property
    def left(self) -> Mapping[str, Any] | None:
        """The module that ended the run by itself."""
        return next(
            (one for one in (*self.earlier, *([self.said["left"]] if "left" in self.said else ())) if one.get("left")),
            None,
        )

    @property
    def failures(self) -> list[Mapping[str, Any]]:
        """Every exception that stopped an import, of conftests and modules."""
        last = [{**self.conftest, "conftest": True}] if self.conftest else []
        return [*(one for one in self.earlier if not one.get("left")), *last, *self.errors]


def _ours(error: Mapping[str, Any]) -> bool:
    return any(
        "ReadOnlyTreeError" in kind for kind in error.get("kinds", ())
    ) or "The doctor lets nothing" in error.get("text", "")

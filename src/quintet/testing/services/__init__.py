"""Real services for a test run: started before anything is imported, shared by its workers, gone when it is over."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quintet.testing.services.running import Services

__all__ = ["current", "enter"]

_current: "list[Services]" = []  # pytest may run pytest inside itself, hence a stack


def current() -> "Services | None":
    """The services of this pytest process, or None where it has asked for none."""
    return _current[-1] if _current else None


def enter(services: "Services") -> None:
    """From now on these are the current ones, until they end."""
    _current.append(services)


def leave(services: "Services") -> None:
    """They have ended."""
    if services in _current:
        _current.remove(services)

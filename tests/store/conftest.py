"""The kernel's fixtures."""

from support.kernel import database, kernel, log, store

__all__ = ["database", "kernel", "log", "store"]

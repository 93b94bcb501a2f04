"""Fixtures of a store with its log."""

from support.kernel import database, kernel, log, store

__all__ = ["database", "kernel", "log", "store"]

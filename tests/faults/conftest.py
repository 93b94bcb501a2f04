"""A store, a log and their users without a server, on every database: for what two workers do to each other."""

from support.kernel import database, kernel, log, store

__all__ = ["database", "kernel", "log", "store"]

"""The fixtures under test."""

from quintet.testing.accounts.hooks import user, user_factory
from quintet.testing.sockets.hooks import connect, connect_now

__all__ = ["connect", "connect_now", "user", "user_factory"]

"""What an administrator sees and does: over HTTP in a session of their own, or by the command line on the server's host."""

from quintet.accounts.admin.desk import Actor, Desk

__all__ = ["Actor", "Desk"]

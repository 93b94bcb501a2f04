"""The fixture under test."""

from quintet.testing.mail.hooks import mailbox

__all__ = ["mailbox"]

"""What is said: threads, messages, sending, stopping, the snapshot, and their HTTP calls."""

from quintet.chat.api import cancelling, chat_router
from quintet.chat.purging import Purging
from quintet.chat.submit import Submitting

__all__ = ["Purging", "Submitting", "cancelling", "chat_router"]

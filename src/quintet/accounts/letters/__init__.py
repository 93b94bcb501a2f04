"""What accounts write to people: the letters, their words, and the courier that takes them to a mail server."""

from quintet.accounts.letters.courier import Courier, Delivery, Refused
from quintet.accounts.letters.letter import Letter
from quintet.accounts.letters.post import Post
from quintet.accounts.letters.relay import Relay, relay_of
from quintet.accounts.letters.wording import Wording

__all__ = ["Courier", "Delivery", "Letter", "Post", "Refused", "Relay", "Wording", "relay_of"]

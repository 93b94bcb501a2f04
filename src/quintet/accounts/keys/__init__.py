"""The keys that sign access tokens: one that signs, one that is published before it does, those that retire."""

from quintet.accounts.keys.loading import load
from quintet.accounts.keys.ring import KeyRing, Verifying
from quintet.accounts.keys.rotation import KEPT_SECONDS, Periods, TooYoungError
from quintet.accounts.keys.sealing import derive

__all__ = ["KEPT_SECONDS", "KeyRing", "Periods", "TooYoungError", "Verifying", "derive", "load"]

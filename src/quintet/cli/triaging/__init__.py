"""`quintet triage`: the analyst on the command line."""

from .command import app

__all__ = ["app"]

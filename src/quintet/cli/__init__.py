"""The command `quintet`: its commands, their options, what they print and how they end.

1. `--help` and a wrong option cost no import of the server.
2. Exit codes: 0 fine, 1 the work found a problem, 2 wrong usage, 78 bad settings.
3. What a person can put right is one line on standard error that ends with the way to do it, never a stack trace.
"""

from .main import main

__all__ = ["main"]

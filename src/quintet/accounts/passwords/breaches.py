"""Passwords that are known from breaches: a local file of SHA-1 hashes, as Have I Been Pwned gives it away.

1. Sorted lines `HASH:COUNT` or `HASH`, hexadecimal, all of one length: whole hashes, or the beginnings of them to save room.
2. Looked up by halving, some forty reads of a line; tens of gigabytes are never read whole, and nothing leaves this machine.
3. SHA-1 because the file is so; it protects nothing here.
"""

import os
import re
from hashlib import sha1
from pathlib import Path

__all__ = ["Breaches"]

LONGEST_LINE = 80  # forty digits, a colon, a count, a line's end
_LINE = re.compile(rb"([0-9A-Fa-f]{10,40})(?::\d{1,20})?\r?\n?")


class Breaches:
    """One open file. Raises OSError when it cannot be read, ValueError when it is not of this form."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._size = os.fstat(self._descriptor).st_size
            self._digits = len(self._hash_in(self._read(0)))
        except (OSError, ValueError):
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def has(self, password: str) -> bool:
        """Whether the password is known. Blocks for some reads: for a thread."""
        wanted = sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()[: self._digits]
        low, high = 0, self._size
        while low < high:  # to the least place behind which no line is smaller
            middle = (low + high) // 2
            begin = self._line_after(middle)
            if begin >= self._size or self._hash_in(self._read(begin)) >= wanted:
                high = middle
            else:
                low = begin + 1
        begin = self._line_after(low)
        return begin < self._size and self._hash_in(self._read(begin)) == wanted

    def _line_after(self, at: int) -> int:
        """Where the first line begins at `at` or after it."""
        if at == 0:
            return 0
        end = self._read(at - 1).find(b"\n")
        return self._size if end < 0 else at + end

    def _read(self, at: int) -> bytes:
        return os.pread(self._descriptor, LONGEST_LINE, at)

    def _hash_in(self, line: bytes) -> bytes:
        found = _LINE.match(line)
        if found is None:
            raise ValueError("not a sorted file of SHA-1 hashes")
        return found[1].upper()

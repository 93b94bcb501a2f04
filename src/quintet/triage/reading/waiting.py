"""A run that waited for a service until somebody ended it: what a loop of attempts, or a tool that waits, printed last.

Rules: the same words many times, at the end of a text that has no last line of pytest; they must say that something is not there; what is
waited for is never taken from anywhere else; where nothing says that the run was ended, the text may only be cut off.
"""

import re
from collections import Counter
from collections.abc import Sequence

from quintet.triage.clusters import masked
from quintet.triage.model import Raised

_LAST_LINES = 200
_OFTEN = 4
_AFTER = 12  # lines that may stand after the loop's last
STOP = re.compile(
    r"(?i)^(?:##\[error\])?(?:the operation was cancell?ed|.{0,200}exceeded the maximum execution time|.{0,200}(?:job|build|step|command|execution)"
    r" (?:was )?(?:timed out|took longer|cancell?ed|aborted|exceeded)|(?:.{0,120}\*\*\* .{0,80}|.{0,200}line \d+: .{0,80})?(?:terminated|killed)\b"
    r"|.{0,120}received (?:signal )?(?:sigterm|terminated|interrupt)|.{0,200}exit(?:ed with)? code (?:124|137|143)\b"
    r"|\[?make(?:\[\d+\])?: \*\*\* .{0,200}Error (?:124|137|143)\b)"
)  # somebody else ended the run
_NOT_THERE = re.compile(
    r"(?i)\b(?:not (?:yet )?(?:ready|available|up|reachable|listening|accepting|started)|unavailable|unreachable|refused|retry(?:ing)?"
    r"|waiting (?:for|on)"
    r"|could not connect|connect call failed|name or service not known|is sleeping|still starting)\b"
)
_TOOLS = re.compile(
    r"(?i)^(?:\S{0,80}wait-for(?:-it)?(?:\.sh)?: (?:timeout occurred|timed out) after waiting .{1,80}"
    r"|.{0,80}\btimeout after .{1,40} waiting (?:on|for) .{1,160}|.{0,80}\btimed out waiting for .{1,120}"
    r"|operation timed out: .{1,120}|dependency failed to start: .{1,160})$"
)
_NUMBER = re.compile(r"\d+")


def waited(outside: Sequence[tuple[int, str]]) -> Raised | None:
    """The last line of such a loop, or what a tool said that gave up."""
    stopped = any(STOP.search(line[:1_000]) for _, line in outside[-_LAST_LINES:])
    last = [(at, line[:1_000]) for at, line in outside[-_LAST_LINES:] if line.strip()]
    tool = next(((at, line) for at, line in reversed(last) if _TOOLS.match(line)), None)
    alike = Counter(_likeness(line) for _, line in last if _NOT_THERE.search(line))
    most = alike.most_common(1)
    loop = next(((at, line) for at, line in reversed(last[-_AFTER:]) if most and _likeness(line) == most[0][0]), None)
    found = loop if loop and most[0][1] >= _OFTEN else tool
    whole = stopped or found is tool
    return Raised("WaitedInVain" if whole else "WaitedInVainPart", found[1].strip()[:400], found[0]) if found else None


def _likeness(line: str) -> str:
    return _NUMBER.sub("0", masked(line))

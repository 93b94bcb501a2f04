"""What stands around a report: which packages were installed, by which command, and which server said that it listens.

Rules: nothing here is a cause; it tells which of several reasons of a failure are left (the package was installed, into another
interpreter; the server listens, but later, or on another port). Of each kind only so many lines are kept.
"""

import re
from collections.abc import Iterable

from quintet.triage.model import Line

KEPT = 30  # of each kind

_INSTALLED = re.compile(
    r"^\s*(?:Successfully installed (?P<many>\S.{0,3000})|\+ (?P<uv>[\w.-]{1,80})==(?P<uv_version>[\w.+!-]{1,40})"
    r"|[-•] Installing (?P<poetry>[\w.-]{1,80}) \((?P<poetry_version>[\w.+!-]{1,40})\)"
    r"|Requirement already satisfied: (?P<there>[\w.-]{1,80})\S* in (?P<into>\S{1,300}))"
)
_COMMAND = re.compile(r"^(?:\+|\$|>|Run|##\[command\]|#\d+ \[[^\]]{1,40}\] RUN)\s{0,2}(?P<command>\S.{0,300})$")
_INSTALLS = re.compile(
    r"(?:^|[\s/])(?:pip3?|uv|poetry|pipenv|pdm|conda|mamba)\b.{0,200}?\b(?:install|sync|add|update)\b"
)
_ISOLATES = re.compile(
    r"^\S{1,40}: commands\[\d{1,3}\]> |^\S{1,40} run-test: commands\[|^(?:\+|\$)\s{0,2}(?:sudo (?!.{0,40}-E\b)|docker(?: compose|-compose)? run )"
)
_SETS = re.compile(
    r"^(?:[+$>-]\s{0,2})?\s{0,8}(?:export |set |- )?(?P<name>[A-Z][A-Z0-9]{0,30}_[A-Z0-9_]{2,60})\s{0,2}[=:]\s{0,2}\S"
)
_LISTENS = re.compile(
    r"(?i)\b(?:listening|listens|serving|bound to|accepting connections|(?:available|running|started) (?:on|at))\b[^\n]{0,80}?"
    r"(?:\bport[ =:]{1,3}|(?<![^.\d]\d\d)(?<!:\d\d):)(\d{2,5})\b(?!:)"
)
_NOT_YET = re.compile(r"(?i)\b(?:not|no longer|stopped|failed|cannot|could not|error|refused|already)\b")


def around(lines: Iterable[tuple[int, str]]) -> tuple[Line, ...]:
    """The telling lines, in order: `installing` a command, `installed` what it installed, `listening` a server's port, `variable` what the job
    sets, `isolating` what starts the tests without the job's variables."""
    kept: dict[str, list[Line]] = {
        kind: [] for kind in ("installing", "installed", "listening", "isolating", "variable")
    }
    for at, text in lines:
        line = _line(at, text[:4_000])
        if line and len(kept[line.kind]) < KEPT:
            kept[line.kind].append(line)
    return tuple(sorted((line for group in kept.values() for line in group), key=lambda line: line.at))


def _line(at: int, text: str) -> Line | None:
    if found := _INSTALLED.match(text):
        return Line("installed", text.strip(), at, found["many"] or found["uv"] or found["poetry"] or found["there"])
    if (found := _COMMAND.match(text)) and _INSTALLS.search(found["command"]):
        return Line("installing", text.strip(), at, found["command"])
    if _ISOLATES.match(text):
        return Line("isolating", text.strip(), at)
    if found := _SETS.match(text):
        return Line("variable", text.strip(), at, found["name"])
    ports = ports_in(text)
    return Line("listening", text.strip(), at, ports[0]) if ports else None


def variable_in(excerpt: str) -> str:
    """The variable that such a line sets for the job."""
    found = _SETS.match(excerpt)
    return found["name"] if found else ""


def ports_in(text: str) -> list[str]:
    """The port on which a line of a log says that its server listens, if it says so."""
    found = _LISTENS.search(text)
    return [found[1]] if found and not _NOT_YET.search(text) else []


def packages_in(excerpt: str) -> set[str]:
    """The names of the packages that such a line says are installed, in small letters, with `_` for `-`."""
    found = _INSTALLED.match(excerpt)
    if not found:
        return set()
    several = [re.sub(r"-[^-]*$", "", word) for word in (found["many"] or "").split()]
    names = several or [found["uv"] or found["poetry"] or found["there"]]
    return {name.lower().replace("-", "_").replace(".", "_") for name in names}

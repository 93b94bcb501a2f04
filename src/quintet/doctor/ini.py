"""Reading `.ini` files as pytest reads them (its reader is the package iniconfig, which the base does not have).

1. A line that starts with a space goes on with the value above it, also across blank and comment lines.
2. A section or a name given twice is an error; so are a value before the first section and a line without = or :.
3. `#` and `;` begin a comment at the start of a line only; in a section's line anywhere.
"""

from typing import NamedTuple

__all__ = ["Entry", "IniError", "Section", "read_ini"]

COMMENTS = ("#", ";")


class Entry(NamedTuple):
    """A value and the line of its name, from 1."""

    value: str
    line: int


class Section(NamedTuple):
    """The entries of a section, in their order, and the line of its heading."""

    entries: dict[str, Entry]
    line: int


class IniError(ValueError):
    """The file cannot be read; `line` counts from 1."""

    def __init__(self, line: int, what: str) -> None:
        self.line = line
        self.what = what
        super().__init__(f"line {line}: {what}")


def read_ini(text: str) -> dict[str, Section]:
    """The sections by name. Raises `IniError` where pytest would refuse the file."""
    sections: dict[str, Section] = {}
    current: Section | None = None
    name: str | None = None
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = "" if raw.lstrip().startswith(COMMENTS) else raw.rstrip()
        if not line:
            continue
        heading = _heading(line)
        if heading is not None:
            current = _opened(sections, heading, number)
            name = None
        elif line[0].isspace() or line[0] == "[":
            if current is None or name is None:
                raise IniError(number, "unexpected value continuation")
            above = current.entries[name]
            more = line.strip()
            current.entries[name] = above._replace(value=f"{above.value}\n{more}" if above.value else more)
        else:
            name, value = _pair(line, number)
            if current is None:
                raise IniError(number, "no section header defined")
            if name in current.entries:
                raise IniError(number, f"duplicate name {name!r}")
            current.entries[name] = Entry(value, number)
    return sections


def _heading(line: str) -> str | None:
    if line[0] != "[":
        return None
    for comment in COMMENTS:
        line = line.split(comment, maxsplit=1)[0].rstrip()
    return line[1:-1] if line[-1] == "]" else None


def _opened(sections: dict[str, Section], name: str, line: int) -> Section:
    if not name:
        raise IniError(line, "empty section name")
    if name in sections:
        raise IniError(line, f"duplicate section {name!r}")
    return sections.setdefault(name, Section({}, line))


def _pair(line: str, number: int) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals or ":" in name:
        name, colon, value = line.partition(":")
        if not colon:
            raise IniError(number, f"unexpected line: {line!r}")
    return name.strip(), value.strip()

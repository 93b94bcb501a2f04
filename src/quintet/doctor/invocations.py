"""How the project itself starts pytest: in its workflows, its Makefile, its tox and nox files, its README.

Read line by line without running anything; what cannot be read for sure (an expression, a variable) makes the invocation unclear, and an
unclear one proves nothing.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .ini import IniError, read_ini
from .tree import Tree

__all__ = ["Invocation", "found"]

MOST_FOUND = 40
_START = re.compile(
    r"(?:^|[\s;&|(`'\"@])(?P<start>(?:python[\d.]*|py|\{envpython\}|\$\(PYTHON\)|\$\{?PYTHON\}?)\s+(?:-\w+\s+)*-m\s+pytest|pytest|py\.test)(?=$|[\s;&|)`'\"])"
)
_WORKFLOWS = (".github/workflows/*.yml", ".github/workflows/*.yaml", ".gitlab-ci.yml", ".circleci/config.yml")
_PROSE = ("README.md", "README.rst", "README.txt", "README", "CONTRIBUTING.md", "CONTRIBUTING.rst")
_UNCLEAR = re.compile(r"\$\{\{|\$\(|\$\{|\$\w|%\w+%|`")


class Invocation(NamedTuple):
    """A command as it stands somewhere. `folder` is where it runs, relative to the root; `module` whether it is `python -m pytest`."""

    source: str
    line: int | None
    command: str
    folder: Path
    arguments: tuple[str, ...]
    module: bool = False
    clear: bool = True

    @property
    def place(self) -> str:
        """Where it was found."""
        return f"{self.source}:{self.line}" if self.line else self.source


def found(tree: Tree) -> tuple[Invocation, ...]:
    """Every invocation of pytest that stands in the project, at most 40, in the order in which one trusts them."""
    every = (*_workflows(tree), *_tox(tree), *_make(tree), *_nox(tree), *_prose(tree))
    return tuple({(one.folder, one.arguments, one.source): one for one in reversed(every)}.values())[::-1][:MOST_FOUND]


def _workflows(tree: Tree) -> Iterator[Invocation]:
    for pattern in _WORKFLOWS:
        for path in sorted(tree.root.glob(pattern)):
            file = path.relative_to(tree.root)
            yield from _shell(tree, file, _steps(tree.text(file) or ""))


def _steps(text: str) -> Iterator[tuple[int, str, str]]:
    """The lines with the working directory of their step, which may stand before or after the command."""
    lines = text.split("\n")
    default = ""
    for number, line in enumerate(lines, 1):
        if re.match(r"\s*-?\s*name:", line) or line.lstrip().startswith("#"):
            continue
        folder = re.match(r"(\s*)-?\s*working-directory:\s*[\"']?([^\"'#\s]+)", line)
        if folder and "defaults" in "".join(lines[max(0, number - 3) : number]):
            default = folder[2]
        yield (
            number,
            re.sub(r"^\s*-?\s*(?:run|script|command):\s*[|>]?-?\s*", "", line),
            _step_folder(lines, number) or default,
        )


def _step_folder(lines: list[str], number: int) -> str:
    start = next((at for at in range(number - 1, -1, -1) if re.match(r"\s*-\s", lines[at])), 0)
    end = next((at for at in range(number, len(lines)) if re.match(r"\s*-\s", lines[at])), len(lines))
    for line in lines[start:end]:
        at = re.match(r"\s*-?\s*working-directory:\s*[\"']?([^\"'#\s]+)", line)
        if at:
            return at[1]
    return ""


def _make(tree: Tree) -> Iterator[Invocation]:
    for name in ("Makefile", "makefile", "GNUmakefile", "justfile", "Justfile"):
        text = tree.text(Path(name))
        if text:
            recipes = (
                (n, line.strip().lstrip("@-+"), "") for n, line in enumerate(text.split("\n"), 1) if line[:1].isspace()
            )
            yield from _shell(tree, Path(name), recipes)


def _tox(tree: Tree) -> Iterator[Invocation]:
    text = tree.text(Path("tox.ini"))
    try:
        sections = read_ini(text or "")
    except IniError:
        return
    for name, section in sections.items():
        if not name.startswith("testenv") or "commands" not in section.entries:
            continue
        commands = section.entries["commands"]
        folder = section.entries["changedir"].value if "changedir" in section.entries else ""
        lines = (
            (commands.line, _tox_words(line), folder.replace("{toxinidir}", ".")) for line in commands.value.split("\n")
        )
        yield from _shell(tree, Path("tox.ini"), lines)


def _tox_words(line: str) -> str:
    line = re.sub(r"\{posargs:?([^{}]*)\}|\[\]", lambda found: found[1] or "", line)
    line = re.sub(r"^\s*(?:!?[\w,.{}-]+:\s+)", "", line).lstrip("- ")
    return line.replace("{toxinidir}/", "").replace("{toxinidir}", ".").replace("{tty:--color=yes}", "")


_NOX = re.compile(r"session\.run\(\s*(?P<words>[^)]*)\)")


def _nox(tree: Tree) -> Iterator[Invocation]:
    text = tree.text(Path("noxfile.py")) or ""
    for call in _NOX.finditer(text):
        words = re.findall(r"[\"']([^\"']*)[\"']|(\*?[\w.]+)", call["words"])
        parts = [
            quoted if quoted or not bare else "${x}" for quoted, bare in words if not (bare and bare.startswith("*"))
        ]
        line = text.count("\n", 0, call.start()) + 1
        yield from _shell(tree, Path("noxfile.py"), [(line, shlex.join(parts), "")])


def _prose(tree: Tree) -> Iterator[Invocation]:
    for name in _PROSE:
        text = tree.text(Path(name))
        if text:
            lines = ((n, line, "") for n, line in _code(text))
            yield from _shell(tree, Path(name), lines)


def _code(text: str) -> Iterator[tuple[int, str]]:
    """Lines of code blocks: fenced, or indented by four spaces or a tab. A sentence about pytest is no invocation."""
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced or line.startswith(("    ", "\t")):
            yield number, line.strip().removeprefix("$ ").removeprefix("> ")


def _shell(
    tree: Tree, file: Path, lines: "Iterator[tuple[int, str, str]] | list[tuple[int, str, str]]"
) -> Iterator[Invocation]:
    for number, line, folder in lines:
        if line.startswith("#") or "install" in line.split("pytest")[0]:
            continue
        at = _START.search(line)
        if not at:
            continue
        before, command = (
            line[: at.start("start")],
            re.split(r"&&|\|\||[;|`]|>\s", line[at.start("start") :])[0].strip(),
        )
        moved = re.findall(r"\bcd\s+([^\s;&]+)", before)
        where = "/".join(part for part in (folder, *moved) if part) or "."
        words = _words(command)
        if words is None or ("run" in before.split()[-1:] and "pytest" not in command):
            continue
        yield _invocation(tree, file, number, command, where, words)


def _words(command: str) -> list[str] | None:
    try:
        return shlex.split(command.rstrip("\\").rstrip("'\")"), comments=True)
    except ValueError:
        return None


def _invocation(tree: Tree, file: Path, line: int, command: str, where: str, words: list[str]) -> Invocation:
    module = "-m" in words[:4] and words[0] not in {"pytest", "py.test"}
    rest = words[words.index("pytest") + 1 :] if module else words[1:]
    folder = Path(re.sub(r"^(?:\$\{\{\s*github\.workspace\s*\}\}|\$GITHUB_WORKSPACE)/?", "", where) or ".")
    clear = not any(_UNCLEAR.search(word) for word in (*rest, str(folder))) and not folder.is_absolute()
    clear = clear and (tree.root / folder).is_dir()
    return Invocation(file.as_posix(), line, command, folder, tuple(rest), module, clear)

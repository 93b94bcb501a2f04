"""Pytest itself is asked how it reads files and which file rules; our own reading answers where nothing may be run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from .configuration import Configuration, read
from .processes import Ran, environment, run
from .resolution import Resolved, resolve
from .tree import Tree

__all__ = ["Answer", "Question", "ask", "read_alone"]

SECONDS = 20.0
START = Path(__file__).parent / "inside" / "start.py"

Question = tuple[Path, tuple[str, ...]]
"""The folder in which pytest is started (absolute), and its arguments."""


class Answer(NamedTuple):
    """`by_pytest` says whether pytest was asked; `why_not` why it was not, if that is so."""

    files: Mapping[Path, Configuration]
    resolved: tuple[Resolved, ...]
    by_pytest: bool
    why_not: str = ""
    distributions: Mapping[str, str] | None = None


def read_alone(tree: Tree, files: Sequence[Path], questions: Sequence[Question], major: int) -> Answer:
    """Our own reading: of the files (relative to the root), and of what rules."""
    known = {tree.root / file: _read(tree, file, major) for file in files}

    def reading(path: Path) -> Configuration | None:
        if path not in known:
            known[path] = _read(tree, path, major)
        return known[path]

    resolved = tuple(resolve(folder, arguments, reading, major) for folder, arguments in questions)
    return Answer({path: found for path, found in known.items() if found is not None}, resolved, by_pytest=False)


def _read(tree: Tree, file: Path, major: int) -> Configuration | None:
    path = tree.root / file
    text = tree.text(file)
    return read(path, text, major) if text is not None else None


def ask(python: Path, tree: Tree, files: Sequence[Path], questions: Sequence[Question], major: int) -> Answer:
    """What the pytest of this interpreter says. Where it cannot be asked, our own reading, and why."""
    alone = read_alone(tree, files, questions, major)
    asked = {
        "files": [str(tree.root / file) for file in files],
        "invocations": [{"folder": str(folder), "arguments": arguments} for folder, arguments in questions],
    }
    ran = Ran(None, "", "")
    try:
        ran = run([str(python), str(START), "resolving"], tree.root, environment(), SECONDS, json.dumps(asked))
        said = json.loads(ran.output)
    except OSError as error:
        return alone._replace(why_not=f"{python} cannot be run: {error.strerror}")
    except ValueError:
        late = ran.code is None
        return alone._replace(
            why_not=f"{python} gave no answer within {SECONDS:.0f} s"
            if late
            else f"{python} failed: {_last(ran.errors)}"
        )
    if "error" in said:
        return alone._replace(why_not=f"no pytest in {python}: {said['error']}", distributions=said["distributions"])
    read_by = {path: _corrected(found, said["files"].get(str(path))) for path, found in alone.files.items()}
    resolved = tuple(_resolved(one, ours) for one, ours in zip(said["resolved"], alone.resolved, strict=True))
    return Answer(read_by, resolved, by_pytest=True, distributions=said["distributions"])


def _last(errors: str) -> str:
    return (errors.strip().split("\n") or [""])[-1][:300]


def _corrected(ours: Configuration, said: Mapping[str, object] | None) -> Configuration:
    """Our reading knows the lines, pytest's is right."""
    if said is None:
        return ours
    if "error" in said:
        return replace(ours, settings=None, error=ours.error or str(said["error"]))
    settings = said["settings"]
    return replace(ours, settings=settings if isinstance(settings, dict) else None, error=None)


def _resolved(said: Mapping[str, str], ours: Resolved) -> Resolved:
    if "error" in said:
        return ours._replace(error=ours.error or said["error"])
    return Resolved(Path(said["file"]) if said["file"] else None, Path(said["root"]))

"""What rules, by our own reading, is what pytest itself says: on trees made by chance, and on files that are hard to read."""

import random
from pathlib import Path

import pytest

from doctor.projects import Pythons
from quintet.doctor.asking import Question, ask, read_alone
from quintet.doctor.configuration import NAMES, normal
from quintet.doctor.tree import Tree

pytestmark = pytest.mark.l2

WORLDS = 50
FOLDERS = ("", "a", "a/b", "a/b/c", "d")
INI = (
    "",
    "[pytest]\n",
    "[pytest]\naddopts = -ra\nmarkers =\n    one: first\n\n    # no\n    two\n",
    "[tool:pytest]\ntestpaths: tests\n",
    "[other]\nx = 1\n[pytest]\nkey: a=b\nlong = 1\n  2\n",
    "[pytest]\nx = 1\nx = 2\n",
    "x = 1\n",
    "[pytest]\nnonsense\n",
    "[pytest] # why\nx=1 # kept\n",
    "[pytest]\n[pytest]\n",
    "[pytest]\n  went on\n",
    "; no\n[tool:pytest]\na =\n  b\n\n  c\n[pytest]\n",
    "\ufeff[pytest]\na=1\n",
)
TOML = (
    "",
    "[tool.other]\nx = 1\n",
    "[tool.pytest.ini_options]\naddopts = '-ra'\nxfail_strict = true\nmarkers = ['one', 'two']\n",
    "[tool.pytest.ini_options]\n",
    "[tool.pytest]\nxfail_strict = true\n",
    "[tool.pytest]\nx = 1\n[tool.pytest.ini_options]\ny = 2\n",
    "[tool.pytest.more]\nx = 1\n",
    "[pytest]\nminversion = '7'\n",
    "x = \n",
)


def _worlds(root: Path, chance: random.Random) -> tuple[list[Path], list[Question]]:
    files: list[Path] = []
    questions: list[Question] = []
    for number in range(WORLDS):
        world = Path(f"world{number}")
        for folder in FOLDERS:
            (root / world / folder).mkdir(parents=True, exist_ok=True)
            for name in chance.sample(NAMES, chance.choice((0, 0, 0, 1, 1, 2))):
                (root / world / folder / name).write_text(chance.choice(TOML if name.endswith("toml") else INI))
                files.append(world / folder / name)
            if chance.random() < 0.1:
                (root / world / folder / "setup.py").touch()
        given = [root / world / folder for folder in FOLDERS]
        for _ in range(4):
            start = chance.choice(given)
            questions.append((start, tuple(_arguments(start, given, chance))))
    return files, questions


def _arguments(start: Path, given: list[Path], chance: random.Random) -> list[str]:
    words = [str(one) for one in chance.sample(given, chance.choice((0, 1, 1, 2)))]
    more = chance.choice(
        ((), (), ("-q",), ("-k", "one"), ("nowhere",), (f"--rootdir={given[0]}",), ("-p", "no:doctest"))
    )
    return [*words, *more]


def test_our_reading_is_that_of_pytest(tmp_path: Path, pythons: Pythons) -> None:
    """The effective file, the root and every setting are the same, and where pytest refuses a file, so do we."""
    files, questions = _worlds(tmp_path, random.Random(20))
    tree = Tree(tmp_path)
    told = ask(pythons(), tree, files, questions, 9)
    assert told.by_pytest, told.why_not
    ours = read_alone(tree, files, questions, 9)
    for question, mine, theirs in zip(questions, ours.resolved, told.resolved, strict=True):
        assert bool(mine.error) == bool(theirs.error), (question, mine, theirs)
        if not mine.error:
            assert (mine.file, mine.root) == (theirs.file, theirs.root), question
    for file in files:
        read, said = ours.files[tmp_path / file], told.files[tmp_path / file]
        assert bool(read.error) == bool(said.error), (file, read, said)
        assert _settings(read.settings) == _settings(said.settings), (file, read, said)


def _settings(found: object) -> object:
    return {key: normal(key, value) for key, value in found.items()} if isinstance(found, dict) else None

"""Agents and tools are descriptions; names find them; what cannot be understood stops the start with a sentence."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from quintet import Turn, agent, tool
from quintet.engine import AgentSpec, Registry, RegistryError, ToolSpec

pytestmark = pytest.mark.l1


@agent(description="Says hello", timeout=3)
async def greeter(turn: Turn) -> str:
    """Greet."""
    return "hello"


def test_a_decorator_makes_a_description() -> None:
    """Name, description, time and kind of function; the function itself can be called for its own tests."""
    assert isinstance(greeter, AgentSpec)
    assert (greeter.name, greeter.description, greeter.timeout, greeter.is_async) == ("greeter", "Says hello", 3, True)

    @tool(timeout=5, name="adds.up")
    def add(one: int, two: int = 1) -> int:
        return one + two

    assert isinstance(add, ToolSpec)
    assert (add.name, add.timeout, add.is_async, add(1)) == ("adds.up", 5, False, 2)


def test_what_is_no_agent_is_refused() -> None:
    """Generators, names that cannot stand on the wire, times that are none."""

    async def stream(turn: Turn) -> AsyncIterator[str]:
        yield "x"

    def pieces(turn: Turn) -> Iterator[str]:
        yield "x"

    for wrong in (stream, pieces, "name"):
        with pytest.raises(TypeError):
            agent(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="letters"):
        agent(name="two words")(stream_less)
    with pytest.raises(ValueError, match="letters"):
        tool(lambda: 1)
    for timeout in (0, -1, float("nan"), 1e9):
        with pytest.raises(ValueError, match="timeout"):
            tool(timeout=timeout)(stream_less)


async def stream_less(turn: Any) -> None:
    """An ordinary function."""


def _module(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(text)
    return name


def test_modules_are_loaded_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every agent of a module is found by its name; the same agent seen through two modules is one."""
    monkeypatch.syspath_prepend(str(tmp_path))
    one = _module(
        tmp_path,
        "reg_one",
        "from quintet import agent\n@agent(description='d')\nasync def first(turn): ...\nother = 1\n",
    )
    two = _module(
        tmp_path, "reg_two", "from reg_one import first\nfrom quintet import agent\n@agent\ndef second(turn): ...\n"
    )
    registry = Registry([greeter])
    registry.load([one, two])
    assert registry.descriptions() == {"greeter": "Says hello", "first": "d", "second": ""}
    assert registry.get("second") is not None
    assert registry.get("third") is None
    assert len(registry) == len(list(registry)) == 3


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("reg_missing", None, "there is no module 'reg_missing'"),
        ("reg_missing.inner", None, "there is no module 'reg_missing.inner'"),
        ("reg_empty", "x = 1\n", "no agent in the module 'reg_empty'"),
        ("reg_needs", "import reg_not_there\n", "needs 'reg_not_there'"),
        ("reg_broken", "1 / 0\n", "ZeroDivisionError"),
        ("reg_syntax", "def\n", "SyntaxError"),
        (
            "reg_double",
            "from quintet import agent\n@agent\nasync def greeter(turn): ...\n",
            "two agents are called 'greeter'",
        ),
    ],
)
def test_what_cannot_be_loaded_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str | None, says: str
) -> None:
    """A missing module, a broken one, one without agents, two agents of one name: a sentence that names it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    if text is not None:
        _module(tmp_path, name, text)
    with pytest.raises(RegistryError, match=says):
        Registry([greeter]).load([name])


def test_importing_what_an_agent_needs_is_light() -> None:
    """`from quintet import …` loads neither the store nor any server; each name is there, and an unknown one is an error."""
    code = (
        "import sys, quintet\n"
        "from quintet import Turn, agent, tool, ToolError, AgentError\n"
        "heavy = {'sqlalchemy', 'uvloop', 'fastapi', 'pydantic', 'alembic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert set(quintet.__all__) <= set(dir(quintet))\n"
        "import quintet.engine\n"
        "assert quintet.engine.Worker.__name__ == 'Worker'\n"
        "for module in (quintet, quintet.engine):\n"
        "    try: module.nothing\n"
        "    except AttributeError: pass\n"
        "    else: raise SystemExit('no error')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr

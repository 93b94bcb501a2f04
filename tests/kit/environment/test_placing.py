"""What the kit puts into the environment: before anything is imported, the same for all, and taken back."""

import os

import pytest

from quintet.testing.environment import placing
from quintet.testing.environment.publishing import Published
from support.project import Project

pytestmark = pytest.mark.l2


def test_secrets(project: Project) -> None:
    """A secret is made per run, is there when conftests are imported, is the same in every worker, and another in the next run."""
    project.write(
        "pyproject.toml",
        "[tool.quintet.test.env]\nSECRET = { secret = 48 }\nPLAIN = 'v {x} {y.z}'\nNUMBER = 7\nON = true\n",
    )
    project.write("conftest.py", "import os\nSECRET = os.environ['SECRET']\n")
    project.write(
        "test_it.py",
        """
        import os, pytest
        from pathlib import Path

        @pytest.mark.parametrize("n", range(4))
        def test_it(n):
            assert len(os.environ["SECRET"]) == 48
            assert (os.environ["PLAIN"], os.environ["NUMBER"], os.environ["ON"]) == ("v {x} {y.z}", "7", "true")
            with Path("seen").open("a") as file:
                file.write(os.environ["SECRET"] + "\\n")
        """,
    )
    project.run("-n", "2", plugins=("xdist",)).count(passed=4)
    first = set((project.root / "seen").read_text().split())
    assert len(first) == 1
    project.run().count(passed=4)
    assert len(set((project.root / "seen").read_text().split())) == 2


def test_it_wins(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table's value wins over the shell's, which may be the address of real data, and over a plugin that sets it later."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://production")
    project.write("pyproject.toml", "[tool.quintet.test.env]\nDATABASE_URL = 'postgresql://test'\n")
    project.write(
        "later.py",
        """
        import os, pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_load_initial_conftests():
            os.environ["DATABASE_URL"] = "postgresql://production"
        """,
    )
    project.write("conftest.py", "import os\nassert os.environ['DATABASE_URL'] == 'postgresql://test'\n")
    project.write("test_it.py", "def test_it(): pass\n")
    project.run(plugins=("later",)).count(passed=1)
    project.run("-p", "later").count(passed=1)


def test_references() -> None:
    """References work inside longer strings; braces of other meaning stay; an unknown attribute is named with those there are."""
    known = {"postgres": {"url": "postgresql://x", "port": "5"}}
    assert placing.fill('{"a": "{postgres.port}"} {b.url} {postgres}', known) == '{"a": "5"} {b.url} {postgres}'
    assert placing.names(["{postgres.url}{other.url}"], known) == {"postgres"}
    with pytest.raises(LookupError, match=r"\{postgres.uri\}: postgres has only port, url"):
        placing.fill("{postgres.uri}", known)


def test_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Afterwards the environment is as before, also if a value was placed twice."""
    monkeypatch.setenv("KIT_ONE", "before")
    monkeypatch.delenv("KIT_TWO", raising=False)
    published = Published()
    for value in ("first", "second"):
        published.put({"KIT_ONE": value, "KIT_TWO": value}, {})
    assert os.environ["KIT_ONE"] == "second"
    published.undo()
    assert os.environ["KIT_ONE"] == "before"
    assert "KIT_TWO" not in os.environ

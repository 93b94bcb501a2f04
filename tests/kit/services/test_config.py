"""The table of a project: read once, wherever pytest's root is, and every mistake in it said at once."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from quintet.testing import config
from support.project import Project

pytestmark = pytest.mark.l1
GOOD = """
    [tool.quintet.test]
    hang = 60
    mapping = "map.toml"
    [tool.quintet.test.env]
    SECRET = { secret = 48 }
    PLAIN = "x"
    KEY = { required = true, min_length = 20, form = "^sk_", hint = "export KEY" }
    [tool.quintet.test.services.postgres]
    migrate = ["alembic", "upgrade", "head"]
    settings = { work_mem = "8MB" }
    [tool.quintet.test.services.quintet]
    agents = ["my.agents"]
    [tool.quintet.test.services.mail]
    kind = "smtp"
    [tool.quintet.test.services.api]
    command = ["uvicorn"]
    needs = ["postgres"]
    env = { LEVEL = "debug", DEBUG = true }
    ready = { http = "/health", within = 20 }
    [tool.quintet.test.markers]
    slow = "takes over a second"
    e2e = { meaning = "through the front door", services = ["api"] }
    """
BAD = """
    [tool.quintet.test]
    hangs = 60
    [tool.quintet.test.env]
    SECRET = { secret = "48" }
    BOTH = { secret = 10, required = true }
    FORM = { required = true, form = "(" }
    [tool.quintet.test.services.postgres]
    comand = ["x"]
    [tool.quintet.test.services.api]
    comand = ["x"]
    needs = ["postgress"]
    ready = { htp = "/health", within = -1 }
    [tool.quintet.test.services.other]
    kind = "mysql"
    command = "x"
    [tool.quintet.test.markers]
    e2e = { meaning = 7, services = ["apj"] }
    """


def test_values(project: Project) -> None:
    """Everything of a good table arrives; defaults elsewhere."""
    project.write("pyproject.toml", GOOD)
    kit = config.load(project.root)
    assert kit.asked
    assert (kit.hang, kit.mapping, kit.root) == (60, "map.toml", project.root)
    assert kit.env["KEY"] == config.Variable("KEY", required=True, min_length=20, form="^sk_", hint="export KEY")
    assert {name: spec.kind for name, spec in kit.services.items()} == {
        "postgres": "postgres",
        "quintet": "quintet",
        "mail": "smtp",
        "api": "command",
    }
    assert dict(kit.services["api"].env) == {"LEVEL": "debug", "DEBUG": "true"}
    assert kit.services["api"].ready == config.Ready(http="/health", within=20)
    assert kit.markers["e2e"] == config.Marker("e2e", "through the front door", ("api",))


def test_faults(project: Project) -> None:
    """All at once, an unknown key with the nearest that exists."""
    project.write("pyproject.toml", BAD)
    with pytest.raises(pytest.UsageError) as caught:
        config.load(project.root)
    for words in (
        "[tool.quintet.test] hangs: unknown key; did you mean 'hang'?",
        "[tool.quintet.test.env.SECRET] secret: must be a number",
        "[tool.quintet.test.env.BOTH] needs exactly one of",
        "[tool.quintet.test.env.FORM] form: must be a regular expression: missing )",
        "[tool.quintet.test.services.postgres] comand: unknown key; known are",
        "[tool.quintet.test.services.api] comand: unknown key; did you mean 'command'?",
        "[tool.quintet.test.services.api] needs a command",
        "[tool.quintet.test.services.api] needs: 'postgress' is not a service here; did you mean 'postgres'?",
        "[tool.quintet.test.services.api.ready] htp: unknown key; did you mean 'http'?",
        "[tool.quintet.test.services.api.ready] within: must be a number from 0",
        "[tool.quintet.test.services.other] kind: must be one of postgres, quintet, smtp, command",
        "[tool.quintet.test.services.other] command: must be a list of strings",
        "[tool.quintet.test.markers.e2e] meaning: must be a string",
        "[tool.quintet.test.markers.e2e] services: 'apj' is not a service here; did you mean 'api'?",
    ):
        assert words in str(caught.value), str(caught.value)


def test_documented() -> None:
    """Every key of the table stands in the documentation."""
    text = (Path(__file__).parents[3] / "docs" / "testing.md").read_text("utf-8")
    known = {
        field.name
        for kind in (config.KitConfig, config.Variable, config.ServiceSpec, config.Marker, config.Ready)
        for field in fields(kind)
    }
    told = text[text.index("<details>") : text.index("</details>")]
    for key in known - {"root", "file", "name"}:
        assert re.search(rf"\b{key}\b", told), key


def test_found_from_below(project: Project, tmp_path: Path) -> None:
    """Another ini file further down moves pytest's root, not the table; a table above the repository is somebody else's."""
    project.write("pyproject.toml", GOOD)
    project.write("tests/unit/pytest.ini", "[pytest]\n")
    assert config.load(project.root / "tests" / "unit").root == project.root
    (project.root / "tests" / ".git").mkdir()
    assert not config.load(project.root / "tests").asked


def test_said_by_pytest(project: Project) -> None:
    """A mistake ends the run with exit code 4 and no traceback."""
    project.write("pyproject.toml", BAD)
    project.write("test_it.py", "def test_it(): pass\n")
    outcome = project.run()
    assert outcome.code == 4
    outcome.says("ERROR: ", "did you mean 'hang'?")
    assert "Traceback" not in outcome.text

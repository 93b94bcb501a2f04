"""Required variables: every fault at once, with its origin and the way out, and never a value."""

import pytest

from support.project import Project

pytestmark = pytest.mark.l2
CANARY = "canary7Qx"
TABLE = """
    [tool.quintet.test.env]
    MISSING = { required = true, hint = "export MISSING=the-key-of-the-vault" }
    EMPTY = { required = true }
    BLANK = { required = true }
    PLACEHOLDER = { required = true }
    SHORT = { required = true, min_length = 20 }
    FORMLESS = { required = true, form = "^sk_test_" }
    FROM_FILE = { required = true, min_length = 20 }
    UNLOADED = { required = true }
    GOOD = { required = true, min_length = 5, form = "^sk_" }
    """


def test_all_at_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fault in one usage error, before anything is collected; none of the values is shown."""
    project.write("pyproject.toml", TABLE)
    project.write("test_it.py", "raise SystemExit('collected')")
    project.write(".env", f"FROM_FILE={CANARY}file\nUNLOADED={CANARY}\n")
    values = {
        "EMPTY": "",
        "BLANK": "  ",
        "PLACEHOLDER": f"your-{CANARY}-key-here",
        "SHORT": f"{CANARY}",
        "FORMLESS": f"pk_{CANARY}",
        "FROM_FILE": f"{CANARY}file",
        "GOOD": f"sk_{CANARY}",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    outcome = project.run()
    assert outcome.code == 4, outcome.text
    outcome.says(
        "8 required variables are not usable",
        "MISSING is not set",
        "looked in: the environment of pytest\n",
        "set it:    export MISSING=the-key-of-the-vault",
        "EMPTY is set, but empty",
        "came from: the shell or program that started pytest",
        "set it:    export EMPTY=…",
        "BLANK is set, but empty",
        "PLACEHOLDER looks like a placeholder",
        "SHORT is too short: 9 characters, it needs at least 20",
        "FORMLESS does not have its form, ^sk_test_ (12 characters)",
        "FROM_FILE is too short",
        "/.env:1",
        "UNLOADED is not set",
        "/.env:2 has it, but nothing has loaded that file",
    )
    assert "GOOD" not in outcome.text
    assert CANARY not in outcome.text
    assert "collected" not in outcome.text


def test_set_by_a_plugin(project: Project) -> None:
    """What a plugin sets before conftests are loaded counts, whichever was loaded first; and the fault names a plugin as the origin."""
    project.write("pyproject.toml", "[tool.quintet.test.env]\nKEY = { required = true, min_length = 5 }\n")
    project.write(
        "early.py",
        """
        import os, pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_load_initial_conftests():
            os.environ["KEY"] = open("key").read()
        """,
    )
    project.write("test_it.py", "import os\ndef test_it():\n    assert os.environ['KEY'] == 'long enough'\n")
    project.write("key", "long enough")
    for order in (("early",), ()):
        more = ["-p", "early"] if not order else []
        project.run(*more, plugins=order).count(passed=1)
    project.write("key", "tiny")
    outcome = project.run(plugins=("early",))
    assert outcome.code == 4
    outcome.says("KEY is too short: 4 characters", "set inside pytest by a plugin or a file that it loaded")


@pytest.mark.parametrize(
    "value",
    ["changeme", "CHANGE_ME", "change-this-please", "your-api-key-here", "<token>", "${API_KEY}", "$API_KEY", "{{ key }}", "xxxxxxxx",
     "sk_test_xxxxxxxxxxxx", "TODO", "placeholder", "sk_test_…", "sk-...", "REPLACE_ME", "insert_token_here", "********", "None", "$(cat key)"],
)  # fmt: skip
def test_placeholders(value: str) -> None:
    """What stands in examples is no value."""
    from quintet.testing.config import Variable
    from quintet.testing.environment.checking import _wrong

    assert "placeholder" in _wrong(Variable("KEY", required=True), value)


@pytest.mark.parametrize(
    "value",
    ["sk_test_4eC39HqLyjWDarjtT1zdp7dc", "postgresql://me:pass@db.example.com/app", "eyJhbGciOiJIUzI1NiJ9.e30.x", "p@ss$word", "a{b}c",
     "https://example.com/your/path", "todo-service-key-81", "aGVsbG8gd29ybGQ=", "Yourself9", "0"],
)  # fmt: skip
def test_real_values(value: str) -> None:
    """What could be a value is taken for one."""
    from quintet.testing.config import Variable
    from quintet.testing.environment.checking import _wrong

    assert _wrong(Variable("KEY", required=True), value) == ""

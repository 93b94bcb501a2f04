"""The services of a run: there before anything is imported, one of a kind for all workers, gone with the run however it ends."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.processes import Seen, below, gone
from support.project import PYTHON, Project

pytestmark = pytest.mark.l3

TABLE = """
    [tool.pytest.ini_options]
    filterwarnings = ["error"]

    [tool.quintet.test.env]
    SECRET_KEY = { secret = 48 }
    DATABASE_URL = "{postgres.url}"
    API = "{api.url}/v1"

    [tool.quintet.test.services.postgres]
    migrate = ["{python}", "migrate.py"]

    [tool.quintet.test.services.api]
    command = ["{python}", "api.py", "{fd}"]
    env = { SHARED_URL = "{postgres.shared_url}" }
    ready = { http = "/health", log = "startup complete" }
    """
API = """
    import http.server, json, os, socket, sys

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(dict(os.environ)).encode())

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer, bind_and_activate=False)
    server.socket = socket.socket(fileno=int(sys.argv[1]))
    print("startup complete", flush=True)
    server.serve_forever()
    """
MIGRATE = """
    import os, psycopg

    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE things (id int)")
    """
APP = """
    import os

    SECRET_KEY = os.environ["SECRET_KEY"]
    DATABASE_URL = os.environ["DATABASE_URL"]
    API = os.environ["API"]
    """
TESTS = """
    import json, os, time, urllib.request
    from pathlib import Path

    import psycopg
    import pytest

    import app

    def note(services):
        kept = {name: [one.port, one.pid, str(one.folder)] for name, one in services.items()}
        kept |= {"database": app.DATABASE_URL, "secret": app.SECRET_KEY, "api_sees": asked()}
        Path(f"seen-{os.getpid()}.json").write_text(json.dumps(kept))

    def asked():
        with urllib.request.urlopen(app.API, timeout=10) as answer:
            return json.load(answer)

    @pytest.mark.parametrize("n", range(8))
    def test_alone(database, services, n):
        note(services)
        with psycopg.connect(database.url) as connection:
            connection.execute("INSERT INTO things VALUES (1)")
            assert connection.execute("SELECT count(*) FROM things").fetchone() == (1,)

    def test_own_database(postgres):
        assert postgres.url == app.DATABASE_URL
        with psycopg.connect(app.DATABASE_URL) as connection:
            assert connection.execute("SELECT count(*) FROM things").fetchone() == (0,)

    def test_shared(services):
        if "PYTEST_XDIST_WORKER" in os.environ:
            for act in (services.api.kill, services.api.restart, services.postgres.restart):
                with pytest.raises(AssertionError, match="shared by all workers"):
                    act()
        else:
            services.api.restart()
            assert asked()["SECRET_KEY"] == app.SECRET_KEY
    """


@pytest.fixture
def project(project: Project) -> Project:
    """A project with an API of its own on PostgreSQL."""
    project.write("pyproject.toml", TABLE)
    project.write("conftest.py", "import app")
    for name, text in (("api.py", API), ("migrate.py", MIGRATE), ("app.py", APP), ("test_it.py", TESTS)):
        project.write(name, text)
    return project


def seen(project: Project) -> list[dict[str, object]]:
    """What the processes of the run have noted."""
    return [json.loads(file.read_text()) for file in project.root.glob("seen-*.json")]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for what runs make in passing, which PostgreSQL's account can reach; nothing is left in it."""
    with TemporaryDirectory(prefix="kit-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder
        assert [each.name for each in folder.glob("quintet*")] == []


def test_serial(project: Project) -> None:
    """Application modules see the environment when they are imported; the API has the same secret; each test its own database."""
    outcome = project.run("-q", "-s")
    outcome.count(passed=10, failed=0, errors=0)
    (facts,) = seen(project)
    api = facts["api_sees"]
    assert isinstance(api, dict)
    assert len(str(facts["secret"])) == 48
    assert api["SECRET_KEY"] == facts["secret"]
    assert api["DATABASE_URL"] == facts["database"] == api["SHARED_URL"]
    assert not [name for name in api if name.startswith(("QUINTET_", "PYTEST_"))]
    for row in (facts["postgres"], facts["api"]):
        assert isinstance(row, list)
        assert Seen.of(row[1]) is None
        assert not Path(row[2]).parent.exists()


def test_workers(project: Project) -> None:
    """With four workers there is one server of a kind; each worker has a database of its own, all the same secret."""
    outcome = project.run("-n", "4", plugins=("xdist",), within=120)
    outcome.count(passed=10, failed=0, errors=0)
    outcome.says("services: ", "postgres ", "ready in ")
    rows = seen(project)
    assert len(rows) > 1, outcome.text
    assert len({json.dumps([row["postgres"], row["api"], row["secret"]]) for row in rows}) == 1
    assert len({row["database"] for row in rows}) == len(rows)


def test_two_at_once(project: Project) -> None:
    """Two runs at once in one checkout both pass, on servers of their own."""
    with start(project, "-q") as first, start(project, "-q") as second:
        for run in (first, second):
            said, _ = run.communicate(timeout=120)
            assert run.returncode == 0, said
    one, two = seen(project)
    for key in ("postgres", "api", "secret"):
        assert one[key] != two[key]


LONG = """
    import os, time
    from pathlib import Path

    import pytest

    @pytest.mark.parametrize("n", range(2))
    def test_long(services, n):
        Path(f"here-{os.getpid()}").touch()
        time.sleep(300)
    """


@pytest.mark.parametrize("workers", [0, 2])
def test_killed(project: Project, temporary: Path, workers: int) -> None:
    """Kill -9 of pytest leaves no process and no folder after two seconds, with workers too."""
    project.write("test_it.py", LONG)
    with start(project, "-s", *(["-p", "xdist", "-n", str(workers)] if workers else []), temporary=temporary) as run:
        family = wait_for(run, project, workers or 1)
        run.kill()
        gone(family, 2.0)


def test_interrupted(project: Project, temporary: Path) -> None:
    """Ctrl-C leaves nothing either."""
    project.write("test_it.py", LONG)
    with start(project, temporary=temporary) as run:
        family = wait_for(run, project, 1)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=10)
    gone(family, 0.5)


@pytest.mark.parametrize("option", ["--help", "--version", "--collect-only", "--markers", "--fixtures"])
def test_only_looking(project: Project, option: str) -> None:
    """What only looks starts nothing, and the application can be imported all the same."""
    project.write("api.py", "raise SystemExit('started')")
    outcome = project.run(option)
    assert outcome.code == 0, outcome.text
    assert "services:" not in outcome.text
    if option == "--collect-only":
        outcome.says("10 tests collected")


def test_nothing_asked(project: Project) -> None:
    """A project without the table gets nothing: no process, no import beyond pytest's, no change of the environment."""
    project.write("pyproject.toml", "[tool.pytest.ini_options]\n")
    project.write("conftest.py", "")
    project.write(
        "test_it.py",
        """
        import os, sys
        def test_it():
            assert not [name for name in os.environ if name.startswith("QUINTET")]
            for name in ("psycopg", "subprocess_of_ours", "quintet.testing.services.life", "quintet.testing.services.processes"):
                assert name not in sys.modules, name
        """,
    )
    project.run().count(passed=1)


def test_it_does_not_start(project: Project) -> None:
    """A service that cannot start ends the run before collection, with its last words; all that failed is said at once."""
    project.write("api.py", "import sys; sys.exit('no SECRET_KEY, no service')")
    project.write("migrate.py", "raise SystemExit('table things exists already')")
    project.write(
        "pyproject.toml",
        TABLE.replace("{postgres.shared_url}", "none").replace('DATABASE_URL = "{postgres.url}"', 'DATABASE_URL = "x"'),
    )
    outcome = project.run()
    assert outcome.code == 4
    for words in (
        "migrating postgres: ",
        "table things exists already",
        "starting api: it ended with exit code 1",
        "no service",
    ):
        assert words in outcome.text, outcome.text
    assert "collected" not in outcome.text


def test_misspelt(project: Project) -> None:
    """A reference to a service that is spelt almost so is no value; braces that may mean something else are left alone."""
    project.write("pyproject.toml", TABLE.replace('"{postgres.url}"', '"{postgress.url} {elsewhere.url}"'))
    outcome = project.run()
    assert outcome.code == 4
    outcome.says("ERROR: {postgress.url} is no service's; did you mean 'postgres'?")
    assert "elsewhere" not in outcome.text


def test_circle(project: Project) -> None:
    """Services that wait for each other are named before anything starts."""
    project.write(
        "pyproject.toml",
        TABLE + "\n    [tool.quintet.test.services.b]\n    command = ['b', '{c.url}']\n"
        "    [tool.quintet.test.services.c]\n    command = ['c']\n    needs = ['b']\n",
    )
    outcome = project.run()
    assert outcome.code == 4
    assert re.search(r"wait for each other: (b needs c needs b|c needs b needs c)", outcome.text), outcome.text


def start(project: Project, *arguments: str, temporary: Path | None = None) -> "subprocess.Popen[str]":
    """Pytest in the project, left running."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_", "QUINTET_TEST_"))
    }
    where = {"TMPDIR": str(temporary)} if temporary else {}
    source = str(Path(__file__).parents[3] / "src")
    return subprocess.Popen(
        [PYTHON, "-m", "pytest", "-p", "quintet.testing.plugin", "-p", "no:cacheprovider", *arguments],
        cwd=project.root,
        env=kept | where | {"PYTHONPATH": source, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(run: "subprocess.Popen[str]", project: Project, tests: int) -> list[Seen]:
    """All processes of a run, once so many tests are in it."""
    until = time.monotonic() + 60
    while len(list(project.root.glob("here-*"))) < tests:
        assert time.monotonic() < until, run.poll()
        assert run.poll() is None, run.communicate()[0]
        time.sleep(0.05)
    family = below(run.pid)
    assert len(family) > 5, family  # two supervisors, the API, PostgreSQL and its own
    return family

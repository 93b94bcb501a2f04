"""Quintet itself as a service: declared for the run, or made by a test with data of its own."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from quintet.testing.services.handle import ServiceError
from quintet.testing.services.postgres import account
from quintet.testing.services.quintet import QuintetServer
from support.processes import Seen, below, gone
from support.project import SOURCE, Project

pytestmark = pytest.mark.l3
TABLE = """
    [tool.quintet.test.services.postgres]
    [tool.quintet.test.services.quintet]
    agents = ["my_agents"]
    [tool.quintet.test.env]
    SIGNING = { secret = 32 }
    [tool.pytest.ini_options]
    pythonpath = ["lib"]
    asyncio_default_fixture_loop_scope = "function"
    filterwarnings = ["error"]
    """
AGENTS = """
    import os

    from quintet import Turn, agent

    @agent(description="Says whether it knows the secret")
    async def knower(turn: Turn) -> str:
        return os.environ["SIGNING"]
    """
Make = Callable[..., QuintetServer]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes servers; all are ended with the test."""
    made: list[QuintetServer] = []

    def one(**options: object) -> QuintetServer:
        made.append(QuintetServer(tmp_path / f"home{len(made)}", **options))  # type: ignore[arg-type]
        return made[-1]

    yield one
    for server in made:
        server.end()


def test_life(make: Make) -> None:
    """Started it is ready; killed it is gone; restarted it has port and data; drained it ends with 0; another gets other data."""
    server = make()
    server.start()
    assert server.alive
    assert server.status("/readyz") == 200
    with pytest.raises(ServiceError, match="runs already"):
        server.start()
    url, kept = server.url, sorted(each.name for each in server.data.iterdir())
    assert kept
    family = [seen for seen in [Seen.of(server.pid or 0), *below(server.pid or 0)] if seen]
    server.kill()
    gone(family, 0.5)
    assert (server.status("/readyz"), server.pid, server.alive) == (0, None, False)
    server.restart()
    assert server.url == url
    assert {each.name for each in server.data.iterdir()} >= set(kept)
    server.terminate()
    assert server.wait(20) == 0
    server.start()
    server.stop(20)
    assert "Quintet is listening" in server.logged()


def test_it_does_not_start(make: Make) -> None:
    """A bad setting is said in the server's own words."""
    server = make(environment={"QUINTET_NO_SUCH": "x"}, options=["--role", "no_such"])
    with pytest.raises(
        ServiceError, match=r"starting quintet: it ended with exit code \d+ while the test run waited for its line"
    ):
        server.start()


def test_it_does_not_end(make: Make) -> None:
    """A server that does not heed SIGTERM in time is an error with its log."""
    server = make()
    server.start()
    os.kill(server.pid or 0, signal.SIGSTOP)
    with pytest.raises(ServiceError, match=r"did not end within 0.3 s\n--- quintet's log"):
        server.stop(0.3)


def test_declared(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Declared, it has the project's agents and secrets; `server_factory` makes more; asynchronous tests of either plugin run beside it."""
    monkeypatch.setenv("QUINTET_PUBLIC_URL", "https://a.developers.own.example")
    project.write("pyproject.toml", TABLE)
    project.write("lib/my_agents.py", AGENTS)
    project.write(
        "test_it.py",
        """
        import os, urllib.request
        from pathlib import Path
        import pytest

        def status(url):
            with urllib.request.urlopen(url + "/readyz", timeout=10) as answer:
                return answer.status

        def test_server(server, services):
            assert server is services.quintet
            assert status(server.url) == 200

        def test_secret(server):
            text = Path(f"/proc/{server.pid}/environ").read_text()
            environment = dict(row.split("=", 1) for row in text.split("\\0") if "=" in row)
            assert environment["SIGNING"] == os.environ["SIGNING"]
            assert not [name for name in environment if name.startswith(("PYTEST_", "QUINTET_TEST_"))]
            assert "QUINTET_PUBLIC_URL" not in environment

        def test_factory(server, server_factory):
            mine = server_factory(agents=["my_agents"], environment={"PYTHONPATH": f"{os.environ['PYTHONPATH']}:lib", "SIGNING": "x"})
            assert mine.url != server.url
            mine.kill()
            assert server.pid

        @pytest.mark.asyncio
        async def test_asyncio(server, database):
            assert status(server.url) == 200

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_anyio(server, database, anyio_backend):
            assert status(server.url) == 200
        """,
    )
    project.run(plugins=("pytest_asyncio.plugin", "anyio.pytest_plugin")).count(passed=5, failed=0, errors=0)


def _interpreter() -> str | None:
    """One that the unprivileged account can run."""
    for found in (sys.executable, shutil.which("python3", path="/usr/bin")):
        if os.geteuid() == 0 and found and account.reaches(Path(found).resolve().parent, account.ours()):
            said = subprocess.run(
                [found, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True, check=True
            )
            if said.stdout.strip() == str(sys.version_info[:2]):
                return found
    return None


@pytest.mark.skipif(_interpreter() is None, reason="needs root, and an interpreter that others can run")
def test_as_ordinary_user() -> None:
    """An ordinary user has it all, cold and warm, with nothing outside his home and the folder for passing things."""
    who = account.ours()
    with TemporaryDirectory(prefix="kit-user-") as made:
        home = Path(made)
        project = Project(home / "project")
        project.write("pyproject.toml", TABLE.replace('agents = ["my_agents"]', ""))
        project.write(
            "test_it.py",
            """
            import psycopg
            def test_it(database, server):
                with psycopg.connect(database.url) as connection:
                    connection.execute("CREATE TABLE things (id int)")
            """,
        )
        subprocess.run(["chown", "-R", f"{who.uid}:{who.gid}", made], check=True)
        packages = [path for path in sys.path if path.endswith("site-packages")]
        for _ in range(2):
            done = subprocess.run(
                [str(_interpreter()), "-m", "pytest", "-p", "quintet.testing.plugin", "-p", "no:cacheprovider", "-W", "ignore"],
                cwd=project.root,
                env={"PATH": os.defpath, "HOME": made, "PYTHONPATH": ":".join([str(SOURCE), *packages]),
                     "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
                user=who.uid, group=who.gid, extra_groups=[], capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert "1 passed" in done.stdout, done.stdout + done.stderr
        assert [each.name.split("-")[0] for each in (home / ".cache" / "quintet").iterdir()] == ["cluster"]

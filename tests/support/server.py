"""The test kit's Quintet, with what our own tests look at besides: the scripted agents, what their tools did, the database's files."""

import json
import os
import re
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from quintet.testing.services.quintet import QuintetServer

if TYPE_CHECKING:
    from support.postgres import PostgresDatabase

__all__ = ["TESTS", "Factory", "Server", "running"]

TESTS = Path(__file__).resolve().parent.parent
SCRIPTED = "support.scripted"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _postgres(environment: dict[str, str]) -> "PostgresDatabase | None":
    """A database of the server's own, where the whole run is to be on PostgreSQL (`make test-postgres`)."""
    if os.environ.get("QUINTET_TEST_DATABASE") != "postgres" or "QUINTET_DATABASE_URL" in environment:
        return None
    from support.postgres import PostgresDatabase

    return PostgresDatabase()


class Server(QuintetServer):
    """One server, its data folder, its log, and the file in which the scripted tools leave a line for each thing they did."""

    def __init__(
        self,
        home: Path,
        *,
        agents: Sequence[str] = (SCRIPTED,),
        command: Sequence[str] = ("-m", "quintet"),
        options: Sequence[str] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self.effects = home / "effects.log"
        self.postgres = _postgres(environment or {})
        on = {"QUINTET_DATABASE_URL": self.postgres.url} if self.postgres is not None else {}
        super().__init__(
            home,
            name="server",
            agents=agents,
            command=command,
            options=options,
            environment={"SCRIPTED_EFFECTS": str(self.effects), **on, **(environment or {})},
            cwd=TESTS,
        )
        self.effects.touch()

    @property
    def pid(self) -> int:
        """Its process id, to signal or to sample it."""
        pid = super().pid
        assert pid is not None, f"the server is down\n{self.tail()}"
        return pid

    # --- what it left -------------------------------------------------------------------------------------------------

    def done(self) -> list[str]:
        """What the scripted tools did, a line each, in order."""
        return self.effects.read_text().splitlines()

    def database(self, to: Path) -> Path:
        """A copy of the database files as they lie there, so that looking changes nothing of what a restart will find.

        Of a server that lives what is committed, of one moment: between two files read one after the other it may tidy up.
        Of PostgreSQL one file as well, of what is committed: whoever judges a database knows one kind.
        """
        to.mkdir(parents=True, exist_ok=True)
        if self.postgres is not None:
            return self.postgres.copied(to / "quintet.db")
        files = [f for f in self.data.iterdir() if re.search(r"\.(db|sqlite3?)(-wal|-shm)?$", f.name)]
        found = [to / f.name for f in files if not f.name.endswith(("-wal", "-shm"))]
        assert len(found) == 1, (
            f"expected one database in {self.data}, found {sorted(f.name for f in self.data.iterdir())}"
        )
        if super().pid is None:
            for file in files:
                if not file.name.endswith("-shm"):
                    (to / file.name).write_bytes(file.read_bytes())
        else:
            with (
                closing(sqlite3.connect(self.data / found[0].name)) as live,
                closing(sqlite3.connect(found[0])) as copy,
            ):
                live.backup(copy)
        return found[0]

    def query(self, to: Path, sql: str) -> list[tuple[object, ...]]:
        """Rows of a copy of the database; of PostgreSQL's own."""
        if self.postgres is not None:
            return self.postgres.rows(sql)
        connection = sqlite3.connect(self.database(to))
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def ready(self) -> dict[str, object]:
        """What /readyz says about each dependency."""
        with _DIRECT.open(self.url + "/readyz", timeout=5) as answer:
            told: dict[str, object] = json.load(answer)
        return told


Factory = Callable[..., Server]


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server from its start to its end, also where the start fails."""
    try:
        server.start()
        yield server
    finally:
        server.end()

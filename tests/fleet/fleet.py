"""Several processes on one PostgreSQL: gateways that people connect to, workers that run the agents, each a real process."""

import os
import secrets
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from quintet.testing.services.processes import Plan
from quintet.testing.services.quintet import START_SECONDS
from quintet.testing.services.readiness import Evidence, answers, await_all
from support.postgres import PostgresDatabase
from support.server import SCRIPTED, Server

__all__ = ["Fleet", "Node"]


class Node(Server):
    """One process. A worker serves nobody, so it is ready without a socket."""

    near = True  # in our own network, where it can be asked whether it is ready

    def __init__(
        self,
        home: Path,
        role: str,
        database: PostgresDatabase,
        environment: dict[str, str],
        command: Sequence[str] = ("-m", "quintet"),
    ) -> None:
        agents = () if role == "gateway" else (SCRIPTED,)
        super().__init__(
            home,
            agents=agents,
            command=command,
            options=("--role", role),
            environment={"QUINTET_DATABASE_URL": database.url, **environment},
        )
        self.role = role
        self.postgres = database
        self.effects = Path(environment["SCRIPTED_EFFECTS"])

    def start(self) -> None:
        """See `Server`."""
        if self.role != "worker":
            super().start()
            return
        since = self.log_size()
        self.process.start(
            Plan(
                argv=self._line(),
                env=self._surroundings(),
                cwd=str(self._cwd),
                log=str(self.log),
                stop=signal.SIGKILL,
                patience=0.0,
                remove=[],
            )
        )
        await_all(self, iter([Evidence("its line", lambda _: self._listening(since))]), START_SECONDS)
        if self.near:
            await_all(self, iter([answers(self.host, self.port, "/readyz")]), START_SECONDS)

    def freeze(self) -> None:
        """SIGSTOP."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)


class Fleet:
    """Gateways and workers with one secret, one database and one file of what the tools did."""

    def __init__(
        self,
        folder: Path,
        database: PostgresDatabase,
        *,
        gateways: int,
        workers: int,
        life: int = 3,
        variables: Mapping[str, str] | None = None,
        command: Sequence[str] = ("-m", "quintet"),
        through: Sequence[int] = (),
        kind: type[Node] = Node,
    ) -> None:
        """`through` has the port by which each node reaches the database; that of the database if not given."""
        effects = folder / "effects.log"
        effects.touch()
        self.environment = {
            "QUINTET_SECRET_KEY": secrets.token_urlsafe(48),
            "QUINTET_WORKER_LIFE_SECONDS": str(life),
            "SCRIPTED_EFFECTS": str(effects),
            **(variables or {}),
        }
        self.database = database
        roles = ["gateway"] * gateways + ["worker"] * workers
        self.nodes = [
            kind(folder / f"{role}{at}", role, database, self.environment, command) for at, role in enumerate(roles)
        ]
        for node, port in zip(self.nodes, through, strict=False):
            node.environment["QUINTET_DATABASE_URL"] = database.url.replace(f":{database.server.port}/", f":{port}/")
        self.gateways, self.workers = self.nodes[:gateways], self.nodes[gateways:]

    def start(self) -> None:
        """All of them."""
        for node in self.nodes:
            node.start()

    def end(self) -> None:
        """Nothing of them is left."""
        for node in self.nodes:
            node.end()

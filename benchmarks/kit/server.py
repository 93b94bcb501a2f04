"""A Quintet server as its users start it, on a data folder of its own, with the agents of the benchmarks."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.kit.database import Database, database
from benchmarks.kit.people import TOKEN_SECONDS, people
from benchmarks.kit.process import Process
from quintet.cli.development import kept_secret

__all__ = ["Served", "fleet", "quintet"]


class Served:
    """A server under test: the process that has the agents, where it answers, and the credentials of its users.

    A fleet has other processes `beside` it, which answer at `also`, and all have one `database`.
    """

    def __init__(self, process: Process, url: str, tokens: list[str]) -> None:
        self.process = process
        self.url = url
        self.tokens = tokens
        self.beside: list[Process] = []
        self.also: list[str] = []
        self.database: Database | None = None


@contextlib.contextmanager
def quintet(
    users: int, *, cores: str | None = None, runs: int | None = None, variables: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Serve `users` users. `runs` raises how many runs the worker holds at once."""
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as folder:
        data = Path(folder)
        tokens = people(data, users)
        command = [sys.executable, "-m", "quintet", "serve", "--dev", "--port", "0", "--data", folder]
        roomy = {} if runs is None else {"QUINTET_RUNS_AT_ONCE": str(runs)}
        environment = roomy | {
            "QUINTET_ACCESS_TOKEN_SECONDS": str(TOKEN_SECONDS),
            "BENCH_COMMANDS": "1",
            **(variables or {}),
        }
        with Process(
            [*command, "--agents", "benchmarks.agents"], environment=environment, cores=cores, log=data / "server.log"
        ) as process:
            yield Served(process, process.address(), tokens)


@contextlib.contextmanager
def fleet(
    users: int, *, gateways: int = 0, runs: int | None = None, variables: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """The same on PostgreSQL: one process that does everything, or as many gateways and a worker."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="quintet-bench-"))
        on = stack.enter_context(database())
        tokens = people(Path(folder), users, on.url)
        common = {
            "QUINTET_DATABASE_URL": on.url,
            "QUINTET_SECRET_KEY": kept_secret(Path(folder)),
            "QUINTET_ACCESS_TOKEN_SECONDS": str(TOKEN_SECONDS),
            **({} if runs is None else {"QUINTET_RUNS_AT_ONCE": str(runs)}),
            **(variables or {}),
        }

        def start(role: str, number: int, *words: str, **more: str) -> tuple[Process, str]:
            line = [sys.executable, "-m", "quintet", "serve", "--dev", "--port", "0", "--data", folder, "--role", role]
            log = Path(folder) / f"{role}{number}.log"
            process = stack.enter_context(Process([*line, *words], environment={**common, **more}, log=log))
            return process, process.address()

        with_agents = ("--agents", "benchmarks.agents")
        process, url = start("worker" if gateways else "all", 0, *with_agents, BENCH_COMMANDS="1")
        beside = [start("gateway", number) for number in range(gateways)]
        urls = [each for _, each in beside] or [url]
        served = Served(process, urls[0], tokens)
        served.beside, served.also, served.database = [each for each, _ in beside], urls[1:], on
        yield served

"""A Quintet server as its users start it, on a data folder of its own, with the agents of the benchmarks."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.kit.people import TOKEN_SECONDS, people
from benchmarks.kit.process import Process

__all__ = ["Served", "quintet"]


class Served:
    """A server under test: its process, where it answers, and the credentials of its users."""

    def __init__(self, process: Process, url: str, tokens: list[str]) -> None:
        self.process = process
        self.url = url
        self.tokens = tokens


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

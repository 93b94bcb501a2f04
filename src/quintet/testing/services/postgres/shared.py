"""PostgreSQL as a worker of pytest-xdist sees it: the run's server, and a database of the worker's own."""

from dataclasses import dataclass, field

from quintet.testing.services.handle import Shared
from quintet.testing.services.postgres.databases import Databases
from quintet.testing.services.postgres.server import MAIN, TEMPLATE

__all__ = ["SharedPostgres", "of_worker"]


@dataclass
class SharedPostgres(Shared):
    """`url` is the worker's database; `facts["shared_url"]` the one that services of the run use."""

    database: str = MAIN
    databases: Databases | None = field(default=None, repr=False)


def of_worker(shared: Shared, worker: str) -> SharedPostgres:
    """Makes the worker's database."""
    facts = shared.facts
    databases = Databases(
        shared.host,
        shared.port,
        facts["user"],
        facts["password"],
        file_copy=int(facts["version"].split(".")[0]) >= 15,
    )
    mine = databases.clone(TEMPLATE, f"{MAIN}_{worker}")
    handle = SharedPostgres(**vars(shared), database=mine.name, databases=databases)
    handle.url = mine.url
    return handle

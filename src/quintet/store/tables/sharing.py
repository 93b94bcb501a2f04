"""What several processes on one database know of each other."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, String, Table, Text

from quintet.store.tables.base import LOCAL, metadata

__all__ = ["cell", "commit_marks", "lineages", "nodes", "shards", "workers"]

commit_marks = Table(  # the last commit of each lane that writes: tells what became of one whose answer was lost
    "commit_marks",
    metadata,
    Column("lane", String(40), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("lane"),
    info=LOCAL,
)

workers = Table(  # those that live: each raises its beat, and whoever sees one stand still ends its runs
    "workers",
    metadata,
    Column("id", String(40), nullable=False),
    Column("beat", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
    info=LOCAL,
)

nodes = Table(  # the processes, for whoever runs them: nothing that must be right is decided by it
    "nodes",
    metadata,
    Column("id", String(40), nullable=False),
    Column("role", String(8), nullable=False),
    Column("version", String(32), nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("worker_id", String(40)),  # what holds its leases; gateways have none
    Column("map", String(12), nullable=False),  # a digest of which cell it believes to have which shards
    Column("draining", Integer, nullable=False),  # 1: takes nothing new, ends what it has
    Column("since", BigInteger, nullable=False),  # both times by the clock of the database, one for all
    Column("seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("id"),
    info=LOCAL,
)

cell = Table(  # at most one row: which of an installation's databases this is
    "cell",
    metadata,
    Column("id", String(16), nullable=False),
    Column("home", String(16), nullable=False),  # that of the accounts' database; its own there
    Column("changes", BigInteger, nullable=False),  # raised when a shard's holder changes, for those who remember them
    PrimaryKeyConstraint("id"),
    info=LOCAL,
)

shards = Table(  # who holds each; a cell knows its own, the accounts' database all
    "shards",
    metadata,
    Column("shard", Integer, nullable=False, autoincrement=False),
    Column("cell", String(17), nullable=False),  # with a minus before it: on its way there
    PrimaryKeyConstraint("shard"),
    info=LOCAL,
)

lineages = Table(  # the cluster that wrote the logs; another one may lack some of it, so its streams begin new epochs
    "lineages",
    metadata,
    Column("system", String(40), nullable=False),
    Column("timeline", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    PrimaryKeyConstraint("system", "timeline"),
    info=LOCAL,
)

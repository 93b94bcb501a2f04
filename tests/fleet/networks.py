"""Ways from a node to the database that can be cut without a word: a relay for everybody, and a real network for those who may make one."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from quintet.testing.services.postgres.server import PostgresServer
from support.postgres import own_server

__all__ = ["NETWORKS", "Namespace", "Way", "namespace"]

_NOBODY = "02:00:00:00:00:99"  # a hardware address that no interface has


class Way(Protocol):
    """What leads to the database."""

    def stall(self) -> None:
        """Nothing passes, in either direction, and nothing is refused."""

    def clear(self) -> None:
        """All passes again."""


class Namespace:
    """A network of its own, joined with ours by a pair of interfaces, over which PostgreSQL is reached."""

    def __init__(self) -> None:
        self.name = f"quintet-{secrets.token_hex(3)}"
        place = secrets.randbelow(250) + 1
        self.ours, self.theirs = f"10.213.{place}.1", f"10.213.{place}.2"
        end = self.name[-6:]
        self._here, self._there = f"qh{end}", f"qt{end}"

    def make(self) -> None:
        """Both ends, with their addresses."""
        _ip("netns", "add", self.name)
        _ip("link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns", self.name)
        _ip("addr", "add", f"{self.ours}/30", "dev", self._here)
        _ip("link", "set", self._here, "up")
        for line in (f"addr add {self.theirs}/30 dev {self._there}", f"link set {self._there} up", "link set lo up"):
            _ip("-n", self.name, *line.split())

    def remove(self) -> None:
        """Both ends and the network."""
        _ip("netns", "delete", self.name)

    def stall(self) -> None:
        """See `Way`. Every frame goes to a hardware address that nobody has."""
        _ip("-n", self.name, "neigh", "replace", self.ours, "lladdr", _NOBODY, "nud", "permanent", "dev", self._there)
        _ip("neigh", "replace", self.theirs, "lladdr", _NOBODY, "nud", "permanent", "dev", self._here)

    def clear(self) -> None:
        """See `Way`."""
        _ip("-n", self.name, "neigh", "delete", self.ours, "dev", self._there)
        _ip("neigh", "delete", self.theirs, "dev", self._here)


@contextmanager
def namespace() -> Iterator[tuple[Namespace, PostgresServer]]:
    """A network, and a PostgreSQL of the test's own that listens there as well."""
    made = Namespace()
    made.make()
    try:
        server = own_server({"listen_addresses": f"127.0.0.1,{made.ours}"})
        try:
            with (server.folder / "cluster" / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {made.theirs}/32 scram-sha-256\n")
            assert server.databases is not None
            server.databases.execute("SELECT pg_reload_conf()")
            yield made, server
        finally:
            server.end()
    finally:
        made.remove()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=20)


def _may() -> bool:
    """Whether this process may make networks (CAP_SYS_ADMIN and CAP_NET_ADMIN, capabilities 21 and 12) and has `ip`."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    held = next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
    return bool(held >> 21 & held >> 12 & 1) and any((Path(folder) / "ip").exists() for folder in os.get_exec_path())


NETWORKS = ("relay", "namespace") if _may() else ("relay",)

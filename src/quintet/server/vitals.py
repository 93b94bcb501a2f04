"""How the server is, for an administrator's page: the same checks as `/readyz`, and a handful of the figures of `/metrics`."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

from quintet.delivery import Gateway
from quintet.server.health import Check, asked
from quintet.server.lag import LoopLag
from quintet.store import Store, of_all

__all__ = ["Vitals", "open_runs"]

_OPEN = "SELECT state, count(*) FROM runs WHERE state IN ('queued', 'running') GROUP BY state"


class Vitals:
    """Of one server. Calling it answers `checks` and `figures`."""

    def __init__(self, checks: Mapping[str, Check], store: Store, gateway: Gateway, lag: LoopLag, version: str) -> None:
        self._version = version
        self._checks = checks
        self._store = store
        self._gateway = gateway
        self._lag = lag

    async def __call__(self) -> dict[str, Any]:
        """As of now. Raises QuintetError the store's."""
        names = list(self._checks)
        answers = await asyncio.gather(*(asked(self._checks[name]) for name in names))
        runs = await open_runs(self._store)
        seen, stored = self._gateway.snapshot(), self._store.figures()
        figures = {
            "version": self._version,
            "sockets": seen["sockets"],
            "streams": seen["streams"],
            "users_connected": seen["users"],
            "runs_queued": runs["queued"],
            "runs_running": runs["running"],
            "writes_waiting": stored.waiting_writes,
            "disk_full": stored.scarce,
            "loop_lag_ms": round(self._lag.last * 1000, 1),
        }
        return {
            "checks": {name: "ok" if good else "failing" for name, good in zip(names, answers, strict=True)},
            "figures": figures,
        }


async def open_runs(store: Store) -> dict[str, int]:
    """How many runs are queued and running, in every cell that is there. Raises QuintetError: the accounts' store cannot."""
    found = Counter({"queued": 0, "running": 0})
    for counted in await of_all(store, lambda tx: dict(tx.sql(_OPEN).fetchall())):
        found.update(counted)
    return dict(found)

"""Maps of shards, for tests."""

import secrets
from collections.abc import Mapping, Sequence
from itertools import groupby

from quintet.store import SHARDS
from quintet.store.cells.enrolling import enrol
from support.postgres import PostgresDatabase

__all__ = ["HALF", "enrolled", "placed", "written"]

HALF = SHARDS // 2


def placed(cells: Mapping[int, str | None]) -> list[str | None]:
    """Each database has the shards from its number on."""
    places: list[str | None] = []
    for first, url in sorted(cells.items()):
        places[first:] = [url] * (SHARDS - first)
    return places


def enrolled(home: PostgresDatabase, places: Sequence[str | None]) -> None:
    """As `quintet migrate` does it."""
    enrol(home.url, places, keep=False, life_ms=3_000, new_name=lambda: secrets.token_hex(6))


def written(places: Sequence[str | None]) -> dict[str, str]:
    """The setting."""
    entries, first = [], 0
    for url, shards in groupby(places):
        last = first + len(list(shards)) - 1
        entries.append(f"{first}-{last}={url or '-'}")
        first = last + 1
    return {"QUINTET_CELLS": " ".join(entries)}

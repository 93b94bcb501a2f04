"""What a fleet shares beside its database: who carries wake-ups, and which database has which shards."""

import pytest

from quintet.server.values import known_secrets
from quintet.settings import SettingsError, load
from quintet.settings.fleet import SHARDS

pytestmark = pytest.mark.l1

DATABASE = "postgresql://u:hunter2hunter2@db/accounts"
GOOD = {
    "QUINTET_SECRET_KEY": "d41d8cd98f00b204e9800998ecf8427e-and-more",
    "QUINTET_PUBLIC_URL": "https://chat.example.com",
    "QUINTET_DATABASE_URL": DATABASE,
}
NEAR, FAR = "postgresql://u:cellsecret1@near/q", "postgresql://u:cellsecret2@a:5432,b:5433/q"


def test_every_shard_has_its_place() -> None:
    """In any order, in any of the database's spellings, with several hosts; `-` is nobody's. What is in them is a secret."""
    cells = f"  2048-4000={FAR.replace('postgresql', 'postgres')}\n4001-4095=-  0-2047={NEAR} "
    settings = load({**GOOD, "QUINTET_CELLS": cells})
    assert settings.places == [NEAR] * 2048 + [FAR] * 1953 + [None] * 95
    assert len(settings.places) == SHARDS
    assert load(GOOD).places == []
    assert {NEAR, FAR} <= known_secrets(settings, {})
    assert "cellsecret" not in repr(settings)


@pytest.mark.parametrize(
    "cells",
    [
        f"0-4094={NEAR}",
        f"1-4095={NEAR}",
        f"0-2047={NEAR} 2047-4095={FAR}",
        f"0-2047={NEAR} 2049-4095={FAR}",
        f"0-4096={NEAR}",
        f"0-4095={NEAR} 5-3={FAR}",
        f"0-4095={NEAR},0-4095={FAR}",
        "0-4095=sqlite:////tmp/q.db",
        "0-4095=nonsense",
        NEAR,
    ],
)
def test_a_map_that_does_not_fit_stops_the_start(cells: str) -> None:
    """A shard that is left out, twice there, or in something else than PostgreSQL; the address is not shown."""
    with pytest.raises(SettingsError) as refused:
        load({**GOOD, "QUINTET_CELLS": cells})
    assert [fault.name for fault in refused.value.faults] == ["QUINTET_CELLS"]
    assert "cellsecret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"), [("QUINTET_CELLS", f"0-4095={NEAR}"), ("QUINTET_WAKES_URL", "redis://localhost:6379")]
)
def test_both_are_for_postgresql(name: str, value: str) -> None:
    """Beside SQLite they would do nothing."""
    load({**GOOD, name: value})
    with pytest.raises(SettingsError):
        load({**GOOD, "QUINTET_DATABASE_URL": "", name: value})


def test_who_carries_wake_ups() -> None:
    """Redis and Valkey by their schemes, with TLS; nothing else."""
    for url in ("redis://h", "rediss://u:p@h:6380/1", "valkey://h:1", "valkeys://h"):
        assert load({**GOOD, "QUINTET_WAKES_URL": url}).wakes_url
    for url in ("http://h", "redis://", "h:6379"):
        with pytest.raises(SettingsError):
            load({**GOOD, "QUINTET_WAKES_URL": url})

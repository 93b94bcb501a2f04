"""A writer that is killed at any moment: what it was answered is there, the same, and the rest is all or nothing."""

import json
import random
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from quintet import runs
from quintet.events import decode
from quintet.log import Log
from support.databases import DATABASES, Database
from support.kernel import Kernel, within

pytestmark = pytest.mark.l3

_KILLS = 5

# Appends to several runs of several users from two threads, and says which appends were answered, with what was in them.
_WRITER = """
import asyncio, json, sys, threading
from support.kernel import Kernel
from quintet.log import Log
from quintet.store import open_store

say = threading.Lock()

def write(kernel, mine, thread):
    number = 0
    while True:
        number += 1
        run = mine[number % len(mine)]
        drafts = [kernel.thought(run, f"{thread}-{number}-{part}", number) for part in range(1 + number % 4)]
        kernel.log.append_nowait(run.user_id, run.run_id, run.attempt, drafts).result(20)
        with say:
            print(json.dumps([run.user_id, [draft.body.decode() for draft in drafts]]), flush=True)

async def main():
    store = open_store(sys.argv[1])
    await store.start()
    kernel = Kernel(store, Log(store))
    held = [[await kernel.running(user) for user in [await kernel.user(), await kernel.user()]] for _ in range(2)]
    print(json.dumps("ready"), flush=True)
    await asyncio.gather(*(asyncio.to_thread(write, kernel, mine, thread) for thread, mine in enumerate(held)))

asyncio.run(main())
"""


def killed_writer(url: str, answers: int) -> list[Any]:
    """What a writer was answered before it was killed, after at least `answers`."""
    tests = str(Path(__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {tests!r})\n{_WRITER}", url],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert json.loads(process.stdout.readline()) == "ready"
        said = [process.stdout.readline() for _ in range(answers)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    finally:
        process.kill()
        process.wait(20)
        process.stdout.close()
    return [json.loads(line) for line in said if line.endswith("\n")]


@pytest.mark.parametrize("kind", sorted(DATABASES))
async def test_what_was_answered_survives_kill_9(kind: str, tmp_path: Path) -> None:
    """Killed again and again under load: the database is whole, every answered append is there with the same bytes in the order
    of its draft, appends are all or nothing, no number has a hole, what was there before has not moved, and lost runs end once."""
    database: Database = DATABASES[kind](tmp_path)
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    before: dict[str, list[bytes]] = {}
    for kill in range(_KILLS):
        answered = killed_writer(database.url, 20 + chance.randrange(200))
        database.check()
        store = database.open()
        log = Log(store)
        await within(store.start())
        kernel = Kernel(store, log)
        moment = kernel.moment()
        lost = await within(store.write("", partial(runs.lose_all, moment=moment)))
        assert len(lost) == 4, f"kill {kill} of seed {seed}"
        frames = await _all_frames(kernel, database)
        _check_answers(answered, frames, f"kill {kill} of seed {seed}")
        for user_id, known in before.items():
            assert frames[user_id][: len(known)] == known, f"kill {kill} of seed {seed}: a known event changed"
        before = frames
        await within(store.close())


async def _all_frames(kernel: Kernel, database: Database) -> dict[str, list[bytes]]:
    users = [row[0] for row in database.rows("SELECT user_id FROM heads")]
    frames = {user_id: [row.frame for row in await kernel.rows(user_id)] for user_id in users}
    for user_id, mine in frames.items():
        events = [decode(frame) for frame in mine]
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.run_seq for event in events] == list(range(1, len(events) + 1)), "one run a user"
        assert [event.final for event in events].count(True) == 1
        assert events[-1].final
        assert events[-1].data["error"]["code"] == "worker_lost", user_id
    return frames


def _check_answers(answered: list[Any], frames: dict[str, list[bytes]], where: str) -> None:
    assert answered
    place: dict[str, int] = {}
    for user_id, bodies in answered:
        mine = frames[user_id]
        first = next(
            (at for at in range(place.get(user_id, 0), len(mine)) if mine[at].endswith(bodies[0].encode()[1:])), None
        )
        assert first is not None, f"{where}: an answered append is not there"
        for body, frame in zip(bodies, mine[first : first + len(bodies)], strict=True):
            assert frame.endswith(body.encode()[1:]), f"{where}: not the bytes that were answered"
        place[user_id] = first + len(bodies)
    for mine in frames.values():
        _check_whole([decode(frame).data.get("text", "") for frame in mine if b"agent_thinking" in frame], where)


def _check_whole(texts: list[str], where: str) -> None:
    parts: dict[tuple[str, str], list[int]] = {}
    for text in texts:
        thread, number, part = text.split("-")
        parts.setdefault((thread, number), []).append(int(part))
    for (_, number), seen in parts.items():
        assert seen == list(range(1 + int(number) % 4)), f"{where}: an append was stored in part"

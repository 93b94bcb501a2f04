"""What an agent knows of its thread: what was said before it, and nothing else."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from engine.stage import Stage
from quintet import Turn, agent
from quintet.engine import SyncTurn
from quintet.store import Tx

pytestmark = pytest.mark.l2


@agent
async def rememberer(turn: Turn) -> None:
    """Say what is known."""
    await turn.say(json.dumps([[m.role, m.text, m.agent] for m in turn.history]))


@agent
async def speaker(turn: Turn) -> None:
    """Say as many letters as asked, after a while."""
    await asyncio.sleep(0.05)
    await turn.say(turn.text[0] * int(turn.text[1:]))


@agent
async def asking(turn: Turn) -> list[Any]:
    """Let a child remember."""
    return await turn.ask(knowing)


@agent
async def knowing(turn: Turn) -> list[Any]:
    """Return what a child knows."""
    return [m.text for m in turn.history]


@agent
async def sizes(turn: Turn) -> list[Any]:
    """Return how much is known."""
    return [len(turn.history), sum(len(m.text.encode()) for m in turn.history), [m.text[:1] for m in turn.history]]


@agent
async def librarian(turn: Turn) -> list[Any]:
    """Return the files of earlier messages, and what is in them."""
    return [[m.text, [[f.name, (await f.read()).decode()] for f in m.attachments]] for m in turn.history]


@agent
def plain_librarian(turn: SyncTurn) -> list[Any]:
    """Return how many files a plain function sees."""
    return [len(m.attachments) for m in turn.history]


AGENTS = (rememberer, speaker, asking, sizes, librarian, plain_librarian)


async def thread_of(stage: Stage, user_id: str, run_id: str) -> str:
    """The thread of a run."""
    return str((await stage.rows("SELECT thread_id FROM runs WHERE user_id = ? AND id = ?", user_id, run_id))[0][0])


async def test_history_is_what_was_said_before(tmp_path: Path) -> None:
    """Messages of the thread in the order of their runs, the answer to a queued question included; not one's own, not later ones,
    not another thread's, not another user's."""
    async with Stage(tmp_path, AGENTS) as stage:
        user_id, other = await stage.user(), await stage.user()
        await stage.end(other, await stage.send(other, "speaker", "z3"))
        first = await stage.send(user_id, "speaker", "a3")
        thread = await thread_of(stage, user_id, first)
        await stage.end(user_id, await stage.send(user_id, "speaker", "y3"))
        second = await stage.send(user_id, "speaker", "b3", thread)
        third = await stage.send(user_id, "rememberer", "and?", thread)
        last = await stage.send(user_id, "asking", "later", thread)
        told = await stage.end(user_id, third)
        assert json.loads(told.text()) == [
            ["user", "a3", None],
            ["agent", "aaa", "speaker"],
            ["user", "b3", None],
            ["agent", "bbb", "speaker"],
        ]
        await stage.end(user_id, second)
        known = (await stage.end(user_id, last)).ending.data["result"]
        assert known[:5] == ["a3", "aaa", "b3", "bbb", "and?"]


async def test_history_is_bounded(tmp_path: Path) -> None:
    """At most 256 KiB, the newest kept, the oldest cut to fit; at most 200 messages."""
    async with Stage(tmp_path, AGENTS) as stage:
        user_id = await stage.user()
        first = await stage.send(user_id, "speaker", "a200000")
        thread = await thread_of(stage, user_id, first)
        await stage.end(user_id, first)
        for text in ("b100000", "c50000"):
            await stage.end(user_id, await stage.send(user_id, "speaker", text, thread))
        known = (await stage.end(user_id, await stage.send(user_id, "sizes", "x", thread))).ending.data["result"]
        assert known == [5, 256 * 1024, ["a", "b", "b", "c", "c"]]

        run_id = await stage.send(user_id, "speaker", "d1")
        thread = await thread_of(stage, user_id, run_id)
        await stage.end(user_id, run_id)
        await stage.store.write(
            user_id,
            lambda tx: tx.many(
                "INSERT INTO messages (user_id, id, thread_id, run_id, role, text, created_at, place)"
                " VALUES (?, ?, ?, ?, 'agent', 'm', 0, ?)",
                [(user_id, f"msg_{n}", thread, run_id, n) for n in range(300)],
            ),
        )
        known = (await stage.end(user_id, await stage.send(user_id, "sizes", "x", thread))).ending.data["result"]
        assert known[0] == 200


async def attach(stage: Stage, user_id: str, run_id: str, name: str, content: bytes) -> None:
    """A file, as if it had been sent with the run's message."""

    def write(tx: Tx) -> None:
        (message,) = tx.sql(
            "SELECT id FROM messages WHERE user_id = ? AND run_id = ? AND role = 'user'", (user_id, run_id)
        ).fetchone()
        tx.sql(
            "INSERT INTO attachments (user_id, id, name, media_type, size, created_at, sent, content)"
            " VALUES (?, ?, ?, 'text/plain', ?, 0, 1, ?)",
            (user_id, f"att_{name}", name, len(content), content),
        )
        tx.sql(
            "INSERT INTO message_attachments (user_id, message_id, place, attachment_id) VALUES (?, ?, 0, ?)",
            (user_id, message, f"att_{name}"),
        )

    await stage.store.write(user_id, write)


async def test_files_of_earlier_messages_can_be_read(tmp_path: Path) -> None:
    """With the message they came with, also where it has no words; a plain function gets the words alone."""
    async with Stage(tmp_path, AGENTS) as stage:
        user_id = await stage.user()
        first = await stage.send(user_id, "speaker", "a1")
        thread = await thread_of(stage, user_id, first)
        await stage.end(user_id, first)
        await attach(stage, user_id, first, "report.txt", b"1 failed")
        told = await stage.end(user_id, await stage.send(user_id, "librarian", "?", thread))
        assert told.ending.data["result"] == [["a1", [["report.txt", "1 failed"]]], ["a", []]]
        told = await stage.end(user_id, await stage.send(user_id, "plain_librarian", "?", thread))
        assert set(told.ending.data["result"]) == {0}

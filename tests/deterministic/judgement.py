"""What must hold of a story: while it is played, and when all has come to rest."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from deterministic.story import LIMITS, Story
from engine.stage import Told, check
from quintet.events import decode, splice
from quintet.log.stream import RING_BYTES, RING_EVENTS
from quintet.store.inbox import MAX_QUEUED

__all__ = ["bounded", "judge"]

SPILL = 4  # what closes something never waits for room; bounded by what is open


def bounded(story: Story) -> None:
    """Every queue is within its bound, in the middle of everything."""
    if not hasattr(story, "worker"):
        return
    assert story.store.waiting <= MAX_QUEUED
    assert story.worker.running <= LIMITS.runs, f"{story.worker.running} runs at once"
    for live in story.worker._watch.live.values():
        box = live.story.outbox
        waiting = len(box._queue) + len(box._flight)
        assert waiting <= LIMITS.outbox + SPILL, f"{waiting} events wait in an outbox"
        assert 0 <= box._size <= LIMITS.outbox_bytes, f"an outbox believes to hold {box._size} bytes"
    for stream in story.log._streams.values():
        assert len(stream.rows) <= RING_EVENTS
        assert stream.size <= RING_BYTES


def judge(story: Story, path: Path) -> Counter[str]:
    """Everything at the end; returns how the runs ended, so that a test sees what was met."""
    with closing(sqlite3.connect(path)) as database:
        ended: Counter[str] = Counter()
        for author in story.authors:
            frames = _frames(database, author.user_id)
            _devices(story, author.user_id, frames)
            ended += _runs(story, database, author.user_id, frames)
            _accepted(database, author.user_id, author.answers)
    twice = [mark for mark, count in Counter(mark for _, mark in story.effects).items() if count > 1]
    assert not twice, f"tools ran twice: {twice}"
    _nothing_left(story)
    return ended


def _frames(database: sqlite3.Connection, user_id: str) -> dict[int, bytes]:
    """The log of a user as it goes out: dense, and the head is that of its last event."""
    epoch, head = database.execute("SELECT epoch, seq FROM heads WHERE user_id = ?", (user_id,)).fetchone()
    query = "SELECT seq, digest, body, run_seq FROM events WHERE user_id = ? ORDER BY seq"
    frames = {
        seq: splice(epoch, seq, digest, body, run_seq=run_seq)
        for seq, digest, body, run_seq in database.execute(query, (user_id,))
    }
    assert list(frames) == list(range(1, head + 1)), f"the log of {user_id} has a hole: {list(frames)}, head {head}"
    return frames


def _devices(story: Story, user_id: str, frames: dict[int, bytes]) -> None:
    """Each device has the bytes of the log, all of them unless it was shut out."""
    out = user_id in story.revoked_at
    for device in story.devices:
        if device.user_id != user_id:
            continue
        for seq, payload in device.seen.items():
            assert frames.get(seq) == payload, (
                f"{device.name} saw {seq} as\n{payload!r}\nthe log has\n{frames.get(seq)!r}"
            )
        assert bool(device.ended) == out, f"{device.name}: shut out {out}, closed {device.ended!r}"
        if not out:
            assert list(device.seen) == list(frames), f"{device.name} lacks {frames.keys() - device.seen.keys()}"


def _runs(story: Story, database: sqlite3.Connection, user_id: str, frames: dict[int, bytes]) -> Counter[str]:
    """Every run is one whole story with one ending, which its row knows."""
    stories: dict[str, list[Any]] = {}
    for payload in frames.values():
        event = decode(payload)
        stories.setdefault(str(event.run_id), []).append(event)
    states = dict(database.execute("SELECT id, state FROM runs WHERE user_id = ?", (user_id,)))
    assert set(states) == set(stories)
    ended: Counter[str] = Counter()
    for run_id, events in stories.items():
        told = Told(events)
        _whole(told)
        _stopped(story, user_id, run_id, events)
        assert told.ending.type == f"agent_{states[run_id]}", (
            f"{run_id} is {states[run_id]}, and ended {told.kinds[-1]}"
        )
        ended[told.code] += 1
        if states[run_id] == "completed":
            assert told.text(told.events[1].agent.name) == told.ending.data.get("text"), "the pieces are not the text"
    return ended


def _whole(told: Told) -> None:
    """Every rule of the wire, and one ending."""
    try:
        if len(told.events) > 2:  # otherwise it was ended while it waited
            check(told)
        assert [event.final for event in told.events] == [False] * (len(told.events) - 1) + [True]
    except (AssertionError, KeyError) as fault:
        raise AssertionError(f"this is no whole run: {told.kinds}") from fault


def _stopped(story: Story, user_id: str, run_id: str, events: list[Any]) -> None:
    """No tool was told to begin after the answer to a cancel, and none began that was not told."""
    begun = [event for event in events if event.type == "tool_executing"]
    last = story.stopped_at.get(run_id)
    for event in begun:
        assert last is None or story.store.committed_at[(user_id, event.seq)].step <= last, (
            "a tool began after the stop"
        )
    done = [mark for run, mark in story.effects if run == run_id]
    told = [event.data["arguments"]["mark"] for event in begun]
    assert set(done) <= set(told), f"tools that nobody was told of: {set(done) - set(told)}"


def _accepted(database: sqlite3.Connection, user_id: str, answers: dict[str, dict[str, str]]) -> None:
    """What was answered is there, once."""
    query = "SELECT client_id, run_id FROM messages WHERE user_id = ? AND role = 'user' ORDER BY client_id"
    stored = database.execute(query, (user_id,)).fetchall()
    assert stored == sorted((client_id, answer["run_id"]) for client_id, answer in answers.items())


def _nothing_left(story: Story) -> None:
    """After quiet: no follower, no run, nothing queued, no task but the story's own, no lease."""
    assert not story.log._streams, "somebody still follows"
    assert not story.worker.running
    assert not story.store.waiting
    left = {
        (task.get_name(), str(task.get_coro()))
        for loop in story.scheduler.loops
        for task in asyncio.all_tasks(loop)
        if task is not story.task
    }
    assert not left, f"tasks are left: {left}"

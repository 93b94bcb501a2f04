"""Wake-ups between processes, by whatever carries them: told within its bound, again after a cut, and heard by others alone."""

import json
import queue
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from quintet.store import notices
from quintet.store.notices import CutOffError, Notices

pytestmark = pytest.mark.l1
WAIT = 10.0
CUT = object()


class Wire:
    """A channel in memory. `fails` tells cannot be handed over first; what `says` holds is heard, and `CUT` loses the connection."""

    def __init__(self, *, fails: int = 0, most: int = 100) -> None:
        self.most = most
        self.fails = fails
        self.told: queue.Queue[str] = queue.Queue()
        self.says: queue.Queue[Any] = queue.Queue()
        self.begun = threading.Event()  # telling
        self.failed = threading.Event()  # as often as it was to
        self.goes = threading.Event()  # cleared: a tell takes until it is set
        self.goes.set()
        self.ears = 0
        self.open_ears = 0
        self.closed_by: list[str] = []

    def tell(self, payload: str) -> None:
        """Hand one over, or fail."""
        self.begun.set()
        assert self.goes.wait(WAIT)
        if self.fails:
            self.fails -= 1
            if not self.fails:
                self.failed.set()
            raise CutOffError("cut")
        self.told.put(payload)

    def listen(self) -> "Wire":
        """Begin to hear."""
        self.ears += 1
        self.open_ears += 1
        return self

    def hear(self, ended: socket.socket) -> Sequence[str]:
        """What is said next."""
        ended.setblocking(False)
        while True:
            try:
                said = self.says.get(timeout=0.01)
            except queue.Empty:
                try:
                    ended.recv(1)
                except BlockingIOError:
                    continue
                return []
            if said is CUT:
                raise CutOffError("cut")
            return [said]

    def close(self) -> None:
        """Of an ear, or of the channel at its end."""
        if threading.current_thread().name == "quintet-notices-in":
            self.open_ears -= 1
        self.closed_by.append(threading.current_thread().name)


@contextmanager
def telling(wire: Wire, heard: Callable[[Collection[str], Collection[str]], None] | None = None) -> Iterator[Notices]:
    """Notices over it, ended afterwards, with nothing left open."""
    made = Notices(wire, heard or (lambda topics, users: None))
    made.start()
    try:
        yield made
    finally:
        made.close()
    assert wire.open_ears == 0
    assert wire.closed_by.count("quintet-notices-out") == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("quintet-notices")]


def collected(wire: Wire, users: int) -> list[list[Any]]:
    """What was told, up to this many users."""
    found: list[list[Any]] = []
    while len({user for _, _, told in found for user in told}) < users:
        payload = wire.told.get(timeout=WAIT)
        assert len(payload.encode()) <= wire.most, payload
        found.append(json.loads(payload))
    return found


def test_everybody_is_told_of_within_the_bound_of_a_notice() -> None:
    """However many users and however long their ids: every notice is within what the channel carries, every user in one of them, topics once."""
    ids = [f"usr_{number:02d}{'x' * (number % 7)}" for number in range(40)]
    wire = Wire(most=200)
    with telling(wire) as made:
        made.add(["runs"], ids)
        found = collected(wire, 40)
    assert sorted(user for _, _, users in found for user in users) == sorted(ids)
    assert [topics for _, topics, _ in found if topics] == [["runs"]]
    assert {node for node, _, _ in found} == {made.node}


def test_what_could_not_be_told_is_told_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost connection loses nothing: the same is told when there is one again, together with what came meanwhile."""
    monkeypatch.setattr(notices, "_REST", 0.05)
    wire = Wire(fails=2)
    with telling(wire) as made:
        made.add(["runs"], ["usr_1"])
        assert wire.failed.wait(WAIT)
        made.add([], ["usr_2"])
        found = collected(wire, 2)
    assert {topic for _, topics, _ in found for topic in topics} == {"runs"}
    assert made.telling


def test_what_waits_to_be_told_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing can be told, so many users are remembered and no more: the slow poll finds the others."""
    monkeypatch.setattr(notices, "_MOST", 3)
    made = Notices(Wire(), lambda topics, users: None)
    for number in range(10):
        made.add([f"topic{number}"], [f"usr_{number}"])
    assert len(made._users) == len(made._topics) == 3


def test_what_others_told_is_heard_and_ones_own_is_not() -> None:
    """A notice of this process is not news to it; one that cannot be read harms nobody; a lost connection is made anew."""
    heard: queue.Queue[tuple[Any, Any]] = queue.Queue()
    wire = Wire()
    with telling(wire, lambda topics, users: heard.put((topics, users))) as made:
        for said in (json.dumps([made.node, ["own"], []]), "no notice", "[1]", '["b", ["runs"], ["usr_1"]]'):
            wire.says.put(said)
        assert heard.get(timeout=WAIT) == (["runs"], ["usr_1"])
        assert made.hearing
        wire.says.put(CUT)
        wire.says.put('["b", [], ["usr_2"]]')
        assert heard.get(timeout=WAIT) == ([], ["usr_2"])
        assert wire.ears == 2
    assert heard.empty()


def test_whoever_hears_badly_is_asked_again() -> None:
    """A listener that raises does not end the hearing."""
    heard: queue.Queue[Any] = queue.Queue()

    def hear(topics: Collection[str], users: Collection[str]) -> None:
        heard.put(users)
        if "bad" in users:
            raise ValueError

    wire = Wire()
    with telling(wire, hear):
        wire.says.put('["b", [], ["bad"]]')
        wire.says.put('["b", [], ["good"]]')
        assert [heard.get(timeout=WAIT) for _ in range(2)] == [["bad"], ["good"]]


def test_what_waits_is_told_before_the_end() -> None:
    """Closed while one notice is being told and another waits: both are told."""
    wire = Wire()
    wire.goes.clear()
    with telling(wire) as made:
        made.add(["runs"], ["usr_1"])
        assert wire.begun.wait(WAIT)
        made.add(["runs"], ["usr_2"])
        closing = threading.Thread(target=made.close)
        closing.start()
        assert made._over.wait(WAIT)
        wire.goes.set()
        closing.join(WAIT)
    assert [json.loads(wire.told.get(timeout=WAIT))[2] for _ in range(2)] == [["usr_1"], ["usr_2"]]

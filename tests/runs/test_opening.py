"""Beginnings: a run is opened with its message, gets its turn, and is leased once."""

import asyncio
import threading
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quintet import runs
from quintet.errors import QuintetError
from quintet.events import decode
from quintet.log import Position
from quintet.runs import Completed, Failed, Leased, Moment
from quintet.sources import Sources
from quintet.store import Store, Tx
from support.databases import Database
from support.kernel import WAIT, Kernel, send_in, within

pytestmark = pytest.mark.l2


async def test_opening_accepts_the_message(kernel: Kernel, store: Store) -> None:
    """The first event of a run is `message_accepted`, with what was sent, no agent, and the cursor that `send` answers with."""
    user = await kernel.user()
    new = runs.NewRun(user, "run_1", "thr_1", "msg_1", "c-1", "assistant", "hello \U0001f600")
    moment = kernel.moment()
    seq, at = await within(store.write(user, lambda tx: send_in(tx, new, moment)))
    (event,) = await kernel.story(user)
    assert (event.seq, event.run_seq, event.cursor) == (seq, 1, at)
    assert event.data == {"message_id": "msg_1", "client_id": "c-1", "text": "hello \U0001f600"}
    assert (event.type, event.thread_id, event.run_id) == ("message_accepted", "thr_1", "run_1")
    assert not hasattr(event.agent, "id")
    assert isinstance(event.trace_id, str)
    assert len(bytes.fromhex(event.trace_id)) == 16
    assert isinstance(await within(kernel.log.resolve(user, at)), Position)


async def test_a_lease_starts_the_root_in_the_same_commit(kernel: Kernel, database: Database) -> None:
    """The second event is the root's `agent_started`, with what it was asked in at most 500 characters, under attempt 1."""
    user = await kernel.user()
    run = await kernel.running(user, "ä" * 501)
    accepted, started = await kernel.story(user)
    assert (started.type, started.run_seq, started.trace_id) == ("agent_started", 2, accepted.trace_id)
    assert started.agent == run.root
    assert started.data == {"input": "ä" * 499 + "…"}
    assert (run.attempt, run.text, run.agent, run.first_seq) == (1, "ä" * 501, "assistant", 1)
    rows = database.rows("SELECT state, ready, attempt, worker_id, run_seq FROM runs")
    assert rows == [("running", 0, 1, "w1", 2)]


@pytest.mark.parametrize(("text", "shown"), [("x" * 500, "x" * 500), ("x" * 501, "x" * 499 + "…"), ("", "")])
def test_an_input_is_shortened_to_500_characters(text: str, shown: str) -> None:
    """Never longer than 500 characters, and not touched below."""
    assert runs.shortened(text) == shown


@pytest.mark.parametrize("text", ["\x01" * 20_000, '"' * 32_768])
async def test_a_text_that_is_no_event_is_too_long(kernel: Kernel, database: Database, text: str) -> None:
    """A text within 32 KiB that JSON makes larger than an event is refused with a code before anything is stored."""
    user = await kernel.user()
    with pytest.raises(QuintetError) as refused:
        await kernel.send(user, text)
    assert refused.value.code == "too_long"
    assert database.rows("SELECT count(*) FROM events") == database.rows("SELECT count(*) FROM messages") == [(0,)]


async def test_a_function_that_runs_again_makes_the_same_events(kernel: Kernel, database: Database) -> None:
    """A transaction may be run more than once: with the same moment it makes the same ids, and with another moment other ones."""
    user = await kernel.user()
    moment = Moment(1, b"0123456789abcdef")
    made: list[Any] = []

    def open_and_fail(tx: Tx) -> None:
        send_in(tx, runs.NewRun(user, "r", "t", "m", "c", "assistant", "x"), moment)
        runs.announce(tx, "w", {"assistant": ""})
        leased = runs.lease(tx, "w", 1, moment)
        runs.close(tx, user, "r", 1, Failed("agent_error"), moment)
        made.append((leased, tx.sql("SELECT body FROM events ORDER BY seq").fetchall()))
        raise QuintetError("conflict")

    for _ in range(2):
        with pytest.raises(QuintetError):
            await within(kernel.store.write(user, open_and_fail))
    assert made[0] == made[1]
    assert len(made[0][1]) == 3
    assert runs.moment(Sources()).seed != runs.moment(Sources()).seed
    assert database.rows("SELECT count(*) FROM events") == [(0,)]


async def test_runs_of_one_thread_go_one_after_another(kernel: Kernel) -> None:
    """In the order they were sent, the next only after the ending of the one before, whatever that ending was."""
    user = await kernel.user()
    sent = [await kernel.send(user, f"{number}", thread_id="thr_one") for number in range(5)]
    got: list[str] = []
    for number in range(5):
        (run,) = await kernel.lease()
        assert await kernel.lease() == []
        got.append(run.run_id)
        await kernel.close(run, Completed(f"m{number}", "x") if number % 2 else Failed("agent_error"))
    assert got == sent
    assert await kernel.lease() == []


async def test_at_most_five_runs_of_a_user_go_at_once(kernel: Kernel) -> None:
    """Threads go in parallel up to five, in the order they were sent; each ending lets in the next, and other users are not counted."""
    user, other = await kernel.user(), await kernel.user()
    sent = [await kernel.send(user) for _ in range(8)]
    theirs = await kernel.send(other)
    first = {run.run_id: run for run in await kernel.lease()}
    assert set(first) == {*sent[:5], theirs}
    assert await kernel.lease() == []
    await kernel.close(first[sent[2]], Completed())
    assert [run.run_id for run in await kernel.lease()] == [sent[5]]
    assert await kernel.cancel(user, sent[6]) == "cancelled"
    await kernel.close(first[sent[0]], Completed())
    assert [run.run_id for run in await kernel.lease()] == [sent[7]]


async def test_a_share_is_counted_when_ready_not_when_leased(kernel: Kernel) -> None:
    """Five that wait for a worker are the user's share as well: slow workers do not let more in."""
    user = await kernel.user()
    for _ in range(9):
        await kernel.send(user)
    ready = await within(
        kernel.store.read(lambda tx: tx.sql("SELECT count(*) FROM runs WHERE ready = 1").fetchone()[0])
    )
    assert ready == 5
    assert len(await kernel.lease(limit=3)) == 3
    assert len(await kernel.lease(limit=100)) == 2


async def test_a_worker_is_woken_when_there_is_work(kernel: Kernel) -> None:
    """A send that may run at once wakes the workers, one that waits does not, and the ending before it does."""
    woken: list[int] = []
    kernel.store.wakes.listen("work", lambda: woken.append(1))
    user = await kernel.user()
    run = await kernel.running(user)
    assert len(woken) == 1
    await kernel.send(user, thread_id=run.thread_id)
    assert len(woken) == 1
    await kernel.close(run, Completed())
    assert len(woken) == 2


async def test_a_run_is_leased_once(kernel: Kernel) -> None:
    """Of many workers asking at once each run goes to exactly one, and no worker gets more than it asked for."""
    users = [await kernel.user() for _ in range(10)]
    sent = {await kernel.send(user) for user in users for _ in range(5)}
    got: list[list[Leased]] = []
    for worker in range(8):
        await within(
            kernel.store.write("", partial(runs.announce, worker_id=f"w{worker}", descriptions={"assistant": ""}))
        )

    def work(worker: int) -> None:
        while True:
            step = partial(runs.lease, worker_id=f"w{worker}", limit=1 + worker % 3, moment=kernel.moment())
            future: Future[list[Leased]] = kernel.store.submit("", step)
            leased = future.result(WAIT)
            assert len(leased) <= 1 + worker % 3
            if not leased:
                return
            got.append(leased)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join, WAIT)
    flat = [run for leased in got for run in leased]
    assert sorted(run.run_id for run in flat) == sorted(sent)
    assert len({run.root.id for run in flat}) == 50
    for user in users:
        assert sum(event.type == "agent_started" for event in await kernel.story(user)) == 5


async def test_a_worker_gets_runs_of_its_own_agents_only(kernel: Kernel) -> None:
    """Two workers, each with an agent of its own and one that both have: what the other alone has is left to it, also when nothing
    else waits; a run whose agent is nowhere goes to anybody, once its worker was away for longer than a restart takes."""
    user = await kernel.user()

    async def announce(worker: str, *names: str) -> None:
        await within(kernel.store.write("", lambda tx: runs.announce(tx, worker, dict.fromkeys(names, ""))))

    async def send(agent: str, moment: Moment | None = None) -> str:
        run, thread, message, client = (kernel.sources.new_id(kind) for kind in ("run", "thr", "msg", "cli"))
        new, now = runs.NewRun(user, run, thread, message, client, agent, "x"), moment or kernel.moment()
        await within(kernel.store.write(user, lambda tx: send_in(tx, new, now)))
        return run

    async def lease(worker: str, limit: int = 10) -> list[str]:
        return sorted(run.run_id for run in await kernel.lease(limit, worker))

    await announce("w1", "violin", "both")
    await announce("w2", "cello", "both")
    violin, cello, both = await send("violin"), await send("cello"), await send("both")
    assert await lease("w3") == [], "it has none of these"
    assert await lease("w2", 1) == [cello], "a run of another worker must not stand in the way"
    assert await lease("w2") == [both]
    assert await lease("w2") == []
    assert await lease("w1") == [violin]
    await announce("w2")
    restarting = await send("cello")
    assert await lease("w1") == [], "its worker is away for a moment"
    await announce("w2", "cello")
    assert await lease("w2") == [restarting]
    await announce("w2")
    now = kernel.moment()
    lost = await send("cello", now._replace(now_ms=now.now_ms - 61_000))
    assert await lease("w1") == [lost]


async def test_agents_are_announced_and_taken_back(kernel: Kernel, database: Database) -> None:
    """A worker's table is what it announced last; another worker's is not touched, also where both have an agent."""
    for worker, agents in (("w1", {"a": "A", "b": "B"}), ("w2", {"a": "A"})):
        await within(kernel.store.write("", partial(runs.announce, worker_id=worker, descriptions=agents)))
    assert database.rows("SELECT worker_id, name FROM agents ORDER BY 1, 2") == [("w1", "a"), ("w1", "b"), ("w2", "a")]
    changed = partial(runs.announce, worker_id="w1", descriptions={"b": "B2", "c": "C"})
    await within(kernel.store.write("", changed))
    assert database.rows("SELECT worker_id, name, description FROM agents ORDER BY 1, 2") == [
        ("w1", "b", "B2"),
        ("w1", "c", "C"),
        ("w2", "a", "A"),
    ]
    await within(kernel.store.write("", lambda tx: runs.announce(tx, "w1", {})))
    assert database.rows("SELECT worker_id FROM agents") == [("w2",)]


@settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["send", "send", "lease", "close", "cancel"]), st.integers(0, 99)), max_size=40
    )
)
def test_turns_are_fair_under_any_order(store: Store, steps: list[tuple[str, int]]) -> None:
    """Whatever is sent, leased, closed and cancelled in whatever order: one run a thread, five a user, in order within a thread, and
    nothing that could run is left waiting."""
    turns = Turns(store)
    for verb, number in steps:
        turns.take(verb, number)
        turns.check()
    turns.drain()


class Turns:
    """One user's runs on four threads, and what must be true of them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sources = Sources()
        self.user = self.sources.new_id("usr")
        self.sent: list[tuple[str, int]] = []  # run, thread
        self.running: list[Leased] = []
        self.order: list[str] = []
        self.ended: set[str] = set()
        store.submit(self.user, self._register).result(WAIT)

    def _register(self, tx: Tx) -> None:
        from quintet.log import create_head
        from support.kernel import add_user

        add_user(tx, self.user, f"{self.user}@example.org")
        create_head(tx, self.user, "e")
        runs.announce(tx, "w", {"assistant": ""})

    def take(self, verb: str, number: int) -> None:
        """One step, where there is something to do it with."""
        moment = runs.moment(self.sources)
        if verb == "send":
            run_id = self.sources.new_id("run")
            thread = f"{self.user}-{number % 8}"
            new = runs.NewRun(self.user, run_id, thread, run_id, run_id, "assistant", "x")
            self.store.submit(self.user, lambda tx: send_in(tx, new, moment)).result(WAIT)
            self.sent.append((run_id, number % 8))
        elif verb == "lease":
            leased = self.store.submit(self.user, lambda tx: runs.lease(tx, "w", 1 + number % 3, moment)).result(WAIT)
            self.running += leased
            self.order += [run.run_id for run in leased]
        elif verb == "close" and self.running:
            run = self.running.pop(number % len(self.running))
            self.store.submit(
                self.user, lambda tx: runs.close(tx, self.user, run.run_id, 1, Failed("agent_error"), moment)
            ).result(WAIT)
            self.ended.add(run.run_id)
        elif verb == "cancel" and self.sent:
            run_id = self.sent[number % len(self.sent)][0]
            state = self.store.submit(self.user, lambda tx: runs.cancel(tx, self.user, run_id, "user", moment)).result(
                WAIT
            )
            if state == "cancelled":
                self.ended.add(run_id)

    def check(self) -> None:
        """What must be true after every step."""
        rows = self.store.submit_read(
            lambda tx: tx.sql(
                "SELECT id, thread_id, state, ready FROM runs WHERE user_id = ? ORDER BY first_seq", (self.user,)
            ).fetchall()
        ).result(WAIT)
        active = [row for row in rows if row[2] == "running" or row[3]]
        assert len(active) <= 5
        assert len({row[1] for row in active}) == len(active), "two runs of a thread at once"
        waiting: dict[str, str] = {}
        for run_id, thread, state, _ in rows:
            if state in {"queued", "running"}:
                waiting.setdefault(thread, run_id)
        assert {row[0] for row in active} <= set(waiting.values()), "a run has overtaken another of its thread"
        assert len(active) == min(5, len(waiting)), "a run waits although it could go"

    def drain(self) -> None:
        """Everything sent comes to its end, in order within its thread."""
        for _ in range(2 * len(self.sent)):
            self.take("lease", 2)
            self.take("close", 0)
        assert self.ended == {run_id for run_id, _ in self.sent}
        for thread in range(8):
            mine = [run_id for run_id, place in self.sent if place == thread]
            assert [run for run in self.order if run in mine] == [run for run in mine if run in self.order]


async def test_frames_of_a_whole_run_decode(kernel: Kernel) -> None:
    """Every frame of a run is an event, at most 64 KiB, with v 1 and its user's cursor."""
    run = await kernel.running(await kernel.user(), "x" * 32_000)
    await kernel.close(run, Completed("m", "done"))
    for row in await kernel.rows(run.user_id):
        event = decode(row.frame)
        assert (event.v, event.seq) == (1, row.seq)
        assert len(row.frame) <= 65536

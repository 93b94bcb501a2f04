"""The planted defects, one function each. A defect may be slow, so that what it breaks is broken at every run of its test.

They patch private names on purpose. When the product changes and a patch finds nothing to break, it fails loudly.
"""

import asyncio
import base64
import random
import time
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

from fastapi import Request
from sqlalchemy import RowMapping, select

from quintet import runs as runs_package
from quintet.accounts.sessions import tokens
from quintet.chat import reading, submit
from quintet.delivery.feed import Feed
from quintet.edge import identity
from quintet.engine import dispatch, watch
from quintet.engine.invocation import Invocation
from quintet.engine.lookout import Lookout
from quintet.engine.loops import AgentLoop
from quintet.engine.story import Story
from quintet.engine.watch import Live, Watch
from quintet.errors import RUN_CODES, QuintetError, RunCode
from quintet.events import Draft
from quintet.log import Log, Position, Resync, numbers, road
from quintet.runs import Completed, Failed, closing
from quintet.scope import Identity
from quintet.store.base import Tx
from quintet.store.committer import Committer
from quintet.store.postgres.lane import Lane
from quintet.store.tables import runs
from sabotage.by_account import DEFECTS_OF_ACCOUNTS
from sabotage.by_fleet import DEFECTS_OF_FLEETS
from sabotage.by_letter import DEFECTS_BY_LETTER
from support.patching import replace

__all__ = ["DEFECTS"]


def deliver_before_commit() -> None:
    """Followers are told while the transaction is still open; the commit takes 50 ms, as on a slow disk."""

    class Early:
        def __init__(self, database: Any, publish: Callable[[Sequence[Any]], None]) -> None:
            self._database = database
            self._publish = publish
            self._tx: Tx | None = None

        def __getattr__(self, name: str) -> Any:
            return getattr(self._database, name)

        def begin(self) -> Tx:
            self._database.keys = vars(self).get("keys", ())  # what a lane of PostgreSQL says before it begins
            self._tx = self._database.begin()
            return self._tx

        def commit(self) -> None:
            assert self._tx is not None
            if self._tx.facts:
                self._publish(self._tx.facts)
                time.sleep(0.05)
            self._database.commit()

    def early(committer: type[Committer]) -> None:
        def commit(self: Committer, database: Any, batch: Any, *tries: int) -> None:
            again = isinstance(database, Early)  # a lane's second try
            old(self, database if again else Early(database, self._publish), batch, *tries)

        old = replace(committer, "_commit", commit)

    early(Committer)
    early(Lane)


def deaf_worker() -> None:
    """No defect of the log: a worker that does not notice that its run was given up. Only the fence is left."""

    async def rescue(self: Lookout, home: AgentLoop) -> None:
        self._watch.lose(home, home.holder())

    def lose(self: Watch, home: AgentLoop, _culprit: Story | None) -> None:
        home.tainted = True
        for live in [live for live in self.live.values() if live.home is home and not live.closing]:
            self._close(live, Failed("worker_lost"))

    def free(self: Watch, live: Live) -> None:
        old(self, live)
        live.story.over = False

    replace(Lookout, "_rescue", rescue)
    replace(Watch, "lose", lose)
    old = replace(Watch, "_free", free)


def skip_the_fence() -> None:
    """The same worker, and an append is stored whatever became of its run."""
    deaf_worker()
    replace(numbers._Fence, "refusal", lambda _self, _append: None)


def query_without_the_user() -> None:
    """A run is found by its id alone."""

    def run_row(tx: Tx, _scope: Any, run_id: str) -> RowMapping:
        row = tx.core.execute(select(runs).where(runs.c.id == run_id)).mappings().first()
        if row is None:
            raise QuintetError("not_found")
        return row

    replace(reading, "_run_row", run_row)


def number_outside_the_lock() -> None:
    """An append takes its numbers when it is asked for, and is stored some milliseconds later: a plain counter."""
    counters: dict[str, int] = {}
    reserved: dict[int, int] = {}

    def take(tx: Tx, user_id: str, count: int) -> int:
        last = counters.get(user_id, numbers.head_in(tx, user_id).seq)
        counters[user_id] = last + count
        return last

    def add(self: Any, user_id: str, run_id: str | None, run_seq: int, drafts: Sequence[Any]) -> int:
        start = reserved.pop(id(drafts), None)
        head = self.heads.get(user_id) or numbers.head_in(self.tx, user_id)
        self.heads[user_id] = head._replace(seq=take(self.tx, user_id, len(drafts)) if start is None else start)
        return int(old_add(self, user_id, run_id, run_seq, drafts))

    def append_nowait(self: Log, user_id: str, run_id: str, attempt: int, drafts: Sequence[Any]) -> Any:
        if user_id in counters:
            reserved[id(drafts)] = counters[user_id]
            counters[user_id] += len(drafts)
            time.sleep(random.random() * 0.005)
        return old_append(self, user_id, run_id, attempt, drafts)

    old_add = replace(numbers._Numbered, "add", add)
    old_append = replace(Log, "append_nowait", append_nowait)


def read_before_registering() -> None:
    """A feed reads what is there, and registers for what comes a little later."""

    async def follow(self: Feed, cursor: str, frame_id: str) -> bool:
        self._follower.close()
        found = await self._parts.log.resolve(self.identity.user_id, cursor)
        answer = await old(self, cursor, frame_id)
        if not isinstance(found, Resync):
            await asyncio.sleep(0.2)
        self._follower = self._parts.log.follow(self.identity.user_id, self.wake)
        return bool(answer)

    old = replace(Feed, "follow", follow)


def broadcast() -> None:
    """What one feed sends, every socket gets."""
    feeds: WeakSet[Feed] = WeakSet()

    class Everybody(Feed):
        __slots__ = ("__weakref__",)

        def __init__(self, *parts: Any) -> None:
            super().__init__(*parts)
            feeds.add(self)

        def _finish(self, frames: list[bytes], batch: Any) -> bool:
            for other in feeds:
                if other is not self and not other._closed:
                    other._outlet.write([row.frame for row in batch.rows])
            return super()._finish(frames, batch)

    from quintet.delivery import websocket

    replace(websocket, "Feed", Everybody)


def cursor_is_a_number() -> None:
    """The epoch never changes and nothing but the number counts: a place in any log is a place in this one."""

    def resolve(tx: Tx, user_id: str, asked: str) -> Position | Resync:
        parts = asked.split(".")
        seq = int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else -1
        head = numbers.head_in(tx, user_id)
        return Position(seq, asked, head.auth_rev) if 0 <= seq <= head.seq else old(tx, user_id, asked)

    old = replace(road, "resolve_in", resolve)


def two_endings() -> None:
    """The unique index of endings is gone, and a run is ended twice."""

    def close(tx: Tx, user_id: str, run_id: str, attempt: int, ending: Any, moment: Any, **options: Any) -> Any:
        for index in ("uq_events_one_ending", "uq_events_segment_one_ending"):  # each has the one of its kind
            tx.sql(f"DROP INDEX IF EXISTS {index}")
        state = old(tx, user_id, run_id, attempt, ending, moment, **options)
        row = tx.sql(
            "SELECT type, digest, final, body, run_seq FROM events WHERE user_id = ? AND run_id = ? AND final = 1",
            (user_id, run_id),
        ).fetchone()
        draft = Draft(row[0], row[1], bool(row[2]), row[3])
        numbers.append_in(tx, user_id, run_id, row[4], [draft])
        return state

    old = replace(closing, "close", close)
    for module in (runs_package, watch):
        for name, value in list(vars(module).items()):
            if value is old:
                setattr(module, name, close)


def sent_before_without_the_user() -> None:
    """Whether a message was sent before is looked up by its `client_id` alone."""
    sound = submit._SENT
    replace(
        submit, "_SENT", sound.replace("WHERE m.user_id = ? AND m.client_id = ?", "WHERE ? <> '' AND m.client_id = ?")
    )
    assert sound != submit._SENT


def deaf_to_logout() -> None:
    """A revocation ends the session, and nobody's sockets hear of it."""
    replace(Tx, "revoke", lambda _self, _user_id: 0)


def deaf_to_cancel() -> None:
    """A cancel is answered, and nothing else happens."""
    replace(runs_package, "cancel", lambda *_args, **_options: "running")


def retry_a_tool() -> None:
    """A tool that failed is run once more."""

    async def perform(spec: Any, args: Any, kwargs: Any) -> Any:
        outcome = await old(spec, args, kwargs)
        return await old(spec, args, kwargs) if isinstance(outcome.error, RuntimeError) else outcome

    old = replace(dispatch, "_perform", perform)


def swallow_a_failure() -> None:
    """An agent that raised has completed."""

    def judge(self: Invocation, outcome: Any) -> Any:
        return Completed(None, None, "done") if outcome.error is not None else old(self, outcome)

    old = replace(Invocation, "judge", judge)


def believe_any_signature() -> None:
    """A token is what it says, whoever has signed it, also with `alg` none."""

    def payload(_ring: Any, token: str, _now: int) -> bytes:
        claims = token.split(".")[1]
        return base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))

    replace(tokens, "_payload", payload)


def ignore_a_missing_secret() -> None:
    """Without a secret the server makes one up, also in production."""
    from quintet.cli import serving

    def load(environment: Any, *args: Any, **options: Any) -> Any:
        return old(
            {"QUINTET_SECRET_KEY": "a made-up secret of quite enough letters 0123", **environment}, *args, **options
        )

    old = replace(serving, "load", load)


def queue_for_a_slow_reader() -> None:
    """A socket takes whatever it is given, and what its reader does not take waits in memory."""
    from quintet.delivery.connection import Connection

    replace(Connection, "pause_writing", lambda _self: None)


def swallow_a_refusal() -> None:
    """A frame that is refused is counted, and its sender never hears of it."""
    from quintet.delivery.websocket import Socket

    replace(Socket, "_tell", lambda _self, _refused: None)


def tell_the_exception() -> None:
    """A failed run is told in the words of the exception, as they were raised."""

    def judge(self: Invocation, outcome: Any) -> Any:
        if outcome.error is not None:
            RUN_CODES["agent_error"] = RunCode(f"{type(outcome.error).__name__}: {outcome.error}")
        return old(self, outcome)

    old = replace(Invocation, "judge", judge)


def remember_who_called() -> None:
    """Whoever has spoken on a connection speaks for all that comes on it after."""
    known: dict[Any, Any] = {}

    async def speaker(self: Any, request: Request) -> Identity:
        place = request.client
        if place not in known:
            known[place] = await old(self, request)
        return known[place]  # type: ignore[no-any-return]

    old = replace(identity._Speaker, "__call__", speaker)


DEFECTS: dict[str, Callable[[], None]] = {
    "queue_for_a_slow_reader": queue_for_a_slow_reader,
    "remember_who_called": remember_who_called,
    "swallow_a_refusal": swallow_a_refusal,
    "tell_the_exception": tell_the_exception,
    "believe_any_signature": believe_any_signature,
    "cursor_is_a_number": cursor_is_a_number,
    "deaf_to_cancel": deaf_to_cancel,
    "deaf_to_logout": deaf_to_logout,
    "ignore_a_missing_secret": ignore_a_missing_secret,
    "retry_a_tool": retry_a_tool,
    "sent_before_without_the_user": sent_before_without_the_user,
    "swallow_a_failure": swallow_a_failure,
    "two_endings": two_endings,
    "deaf_worker": deaf_worker,
    "deliver_before_commit": deliver_before_commit,
    "skip_the_fence": skip_the_fence,
    "query_without_the_user": query_without_the_user,
    "number_outside_the_lock": number_outside_the_lock,
    "read_before_registering": read_before_registering,
    "broadcast": broadcast,
    **DEFECTS_BY_LETTER,
    **DEFECTS_OF_ACCOUNTS,
    **DEFECTS_OF_FLEETS,
}

"""An administrator's desk: what they see and do, in their name.

1. Nobody disables themselves or takes their own role away, and a service nobody with the role: there is always an administrator left
   who can undo it. Whether whoever acts still is one is decided in the transaction of the act.
2. A role is given with the password: whoever holds a stolen access token for ten minutes must not stay for ever.
3. What is done is decided by what the transaction reads, and stands in the audit with whoever did it.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import chain
from typing import Any

from quintet import runs
from quintet.accounts import audit
from quintet.accounts.admin import acts, looking
from quintet.accounts.admin.acts import Actor
from quintet.accounts.admin.looking import Listed, OpenRun
from quintet.accounts.audit import Entry
from quintet.accounts.passwords.confirmation import Confirmation
from quintet.accounts.sessions import sessions
from quintet.accounts.sessions.sessions import SessionRow
from quintet.errors import QuintetError
from quintet.sources import Sources
from quintet.store import Store, Tx, of_all

__all__ = ["Actor", "Desk", "Vitals"]

Vitals = Callable[[], Awaitable[dict[str, Any]]]
"""What the server says of itself."""

RUNS = 200


class Desk:
    """Every method also raises QuintetError `busy`, `unavailable`, `storage_full`; whoever calls has seen to the role."""

    def __init__(self, store: Store, sources: Sources, confirmation: Confirmation) -> None:
        self._store = store
        self._sources = sources
        self._confirmation = confirmation

    async def users(self, search: str, after: str | None, limit: int) -> list[Listed]:
        """Users whose address or name holds `search`, or whose id it is, the newest account first."""
        now = self._sources.now_ms()
        return await self._store.read(lambda tx: looking.found(tx, search, after, limit, now))

    async def user(self, user_id: str) -> Listed:
        """One. Raises QuintetError `not_found`."""
        now = self._sources.now_ms()
        return _there(await self._store.read(lambda tx: looking.of_id(tx, user_id, now)))

    async def sessions(self, user_id: str) -> list[SessionRow]:
        """Their sessions that stand. Raises QuintetError `not_found`."""
        now = self._sources.now_ms()

        def read(tx: Tx) -> list[SessionRow]:
            _there(looking.of_id(tx, user_id, now))
            return sessions.live(tx, user_id, now)

        return await self._store.read(read)

    async def change(
        self, user_id: str, actor: Actor, *, role: str | None, disabled: bool | None, password: str | None = None
    ) -> Listed:
        """Give a role, disable or enable; answers the user as they are then. A role takes the actor's `password`.

        Raises:
            QuintetError: `not_found`; `conflict` for oneself; `forbidden` for a service that gives roles or disables an administrator, and
                for who is none any more; what a confirmation raises.
        """
        if user_id == actor.id:
            raise QuintetError(
                "conflict", "You cannot change your own role or disable yourself. Ask another administrator."
            )
        if role is not None:
            if actor.identity is None:
                raise QuintetError("forbidden")
            await self.user(user_id)
            confirmed = await self._confirmation.confirm(actor.identity, password)
        now = self._sources.now_ms()

        def write(tx: Tx) -> Listed:
            acts.check_still_admin(tx, actor, now)
            if role is not None:
                confirmed.check(tx)
            if _there(looking.of_id(tx, user_id, now)).role == "admin" and actor.is_service:
                raise QuintetError("forbidden", "A service does not change administrators.")
            if role is not None:
                acts.set_role(tx, user_id, role, actor, now)
            if disabled is not None:
                (acts.disable if disabled else acts.enable)(tx, user_id, actor, now)
            return _there(looking.of_id(tx, user_id, now))

        return await self._store.write(user_id, write)

    async def end_sessions(self, user_id: str, session_id: str | None, actor: Actor) -> None:
        """End one session of a user, or all. Raises QuintetError `not_found`."""
        now = self._sources.now_ms()

        def write(tx: Tx) -> None:
            acts.check_still_admin(tx, actor, now)
            _there(looking.of_id(tx, user_id, now))
            if session_id is None:
                acts.end_sessions(tx, user_id, actor, now)
            else:
                acts.end_session(tx, user_id, session_id, actor, now)

        await self._store.write(user_id, write)

    async def runs(self) -> list[OpenRun]:
        """Open runs of everybody, the oldest first, at most `RUNS`; without those of a cell that is away."""
        told = chain.from_iterable(await of_all(self._store, lambda tx: looking.open_runs(tx, RUNS)))
        found = sorted(told, key=lambda run: (run.created_at, run.id))[:RUNS]
        of = await self._store.read(lambda tx: looking.addresses(tx, {run.user_id for run in found}))
        return [run._replace(email=of[run.user_id]) for run in found if run.user_id in of]

    async def cancel(self, user_id: str, run_id: str, actor: Actor) -> str:
        """Stop a run; answers its state at that commit. Raises QuintetError `not_found`.

        Where the run is in a cell the act is recorded before it: two databases have no transaction of both, and none goes unrecorded.
        """
        moment, cell = runs.moment(self._sources), self._store.apart(user_id)

        def stop(tx: Tx) -> str:
            return runs.cancel(tx, user_id, run_id, "user", moment)

        def record(tx: Tx) -> None:
            acts.check_still_admin(tx, actor, moment.now_ms)
            at, act = moment.now_ms, "run_cancelled"
            audit.record(tx, act, at, subject_id=user_id, actor_id=actor.id, address=actor.address, run=run_id)

        def both(tx: Tx) -> str:
            record(tx)
            return stop(tx)

        if cell is None:
            return await self._store.write(user_id, both)
        await cell.read(lambda tx: looking.known_run(tx, user_id, run_id))
        await self._store.write(user_id, record)
        return await cell.write(user_id, stop)

    async def audit(self, user_id: str | None, before: int | None, limit: int) -> tuple[list[Entry], dict[str, str]]:
        """What happened, to one user or to anybody, the newest first; and the addresses of those in it who are still there."""

        def look(tx: Tx) -> tuple[list[Entry], dict[str, str]]:
            page = partial(audit.everything, tx) if user_id is None else partial(audit.of_user, tx, user_id)
            found = page(before=before, limit=limit)
            ids = {entry.subject_id for entry in found} | {entry.actor_id for entry in found}
            return found, looking.addresses(tx, {one for one in ids if one is not None})

        return await self._store.read(look)

    async def counts(self) -> dict[str, int]:
        """Users, disabled ones, sessions."""
        now = self._sources.now_ms()
        return await self._store.read(lambda tx: looking.counted(tx, now))


def _there(user: Listed | None) -> Listed:
    if user is None:
        raise QuintetError("not_found")
    return user

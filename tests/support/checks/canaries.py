"""P6, the canary machine: three users write words that nobody else has, and do anything with anybody's ids, cursors and tokens.

1. Whatever is delivered to one holds no canary and no id of another: each rule ends by judging every byte that came.
2. What is one's own is all there: after `caught_up` the feed is dense to the snapshot, and every message not deleted is in it.
3. What another's id, cursor or session is answered by is known beforehand: 404, `resync`, 401.
4. What must have occurred is counted, and what chance has left out is done at the end: else a run would prove nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from support.canaries import following, reading, signing, writing
from support.canaries.belongings import KINDS, Belongings
from support.canaries.completeness import whole
from support.canaries.owner import Owner
from support.canaries.rare import rare
from support.routes import ADMIN, OWNED, ROUTES, Route
from support.server import Server
from support.world import World

__all__ = ["check_canaries"]

Deed = Coroutine[Any, Any, Any]

SECONDS = 60.0  # for one rule, on a busy machine
USERS = 3
SIGN_INS = 2  # in one example: each costs the server a password hash

people = st.integers(0, USERS - 1)
numbers = st.integers(0, 10**6)
_READS = [route for route in ROUTES if route.verb == "GET" and route.ends and route.whom != "open"]
_CHANGES = [route for route in (*OWNED, *ADMIN) if route.verb != "GET"]


class Stage:
    """What outlives an example: the server, whose is what, the figures, the first fault."""

    def __init__(self, server: Server, *, strict: bool) -> None:
        self.server = server
        self.strict = strict
        self.belongings = Belongings()
        self.counts: Counter[str] = Counter()
        self.faults: list[Exception] = []
        self.since = server.log_size()
        self.examples = 0
        self.over = False  # nobody waits for the thread any more: the test's own limit was shorter


class Canaries(RuleBasedStateMachine):
    """Three new users at a server that has seen others."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage, self.counts = stage, stage.counts
        self.runner = asyncio.Runner()
        self.world = World(stage.server, strict=stage.strict)
        self.owners: list[Owner] = []
        self.signed_out = 0
        self.failed = False

    def do(self, deed: Deed) -> None:
        """Do it, then judge what has reached anybody meanwhile."""

        async def judged() -> None:
            async with asyncio.timeout(SECONDS):
                await deed
            for owner in self.owners:
                owner.listen()

        if self.stage.over:
            deed.close()
            raise AssertionError("given up")
        try:
            self.runner.run(judged())
        except Exception as fault:
            self.failed = True
            self.stage.faults.append(fault)
            raise

    def other(self, who: int, place: int) -> Owner:
        """One of the two others."""
        return self.owners[(who + 1 + place % (USERS - 1)) % USERS]

    @initialize()
    def appear(self) -> None:
        """Everybody has a name, a file and a message before anything else is done."""
        self.stage.examples += 1
        self.do(self._appear())

    async def _appear(self) -> None:
        for place in range(USERS):
            name = f"user {place} of example {self.stage.examples}"
            self.owners.append(await Owner.appear(name, self.world, self.stage.belongings, self.counts))
        for owner in self.owners:
            answer = await owner.ask("PATCH", "/v1/auth/me", json={"name": owner.word()})
            assert answer.status_code == 200, answer.text
            await signing.have_doors(owner)
            await writing.upload(owner)
        await self._all_post(0)

    async def _all_post(self, place: int, *, http: bool = False) -> None:
        agents = [writing.AGENTS[(place + n) % len(writing.AGENTS)] for n in range(USERS)]
        told = zip(self.owners, agents, strict=True)
        await asyncio.gather(*(writing.post(o, place, agent, http=http, wait=True) for o, agent in told))

    # --- writing ------------------------------------------------------------------------------------------------------

    @rule(who=people)
    def open_thread(self, who: int) -> None:
        """A thread with a title."""
        self.do(writing.open_thread(self.owners[who]))

    @rule(who=people, place=numbers)
    def rename(self, who: int, place: int) -> None:
        """Another title."""
        self.do(writing.rename(self.owners[who], place))

    @rule(who=people, place=numbers, agent=st.sampled_from(writing.AGENTS), http=st.booleans(), wait=st.booleans())
    def post(self, who: int, place: int, agent: str, http: bool, wait: bool) -> None:
        """A message; unless it is waited for, its run goes on during what follows."""
        self.do(writing.post(self.owners[who], place, agent, http=http, wait=wait))

    @rule(place=numbers, http=st.booleans())
    def everybody_posts(self, place: int, http: bool) -> None:
        """All at once, each to another agent."""
        self.do(self._all_post(place, http=http))

    @rule(who=people)
    def upload(self, who: int) -> None:
        """A file."""
        self.do(writing.upload(self.owners[who]))

    @rule(who=people, place=numbers)
    def download(self, who: int, place: int) -> None:
        """An own file."""
        self.do(writing.download(self.owners[who], place))

    @rule(who=people, place=numbers)
    def delete(self, who: int, place: int) -> None:
        """An own thread."""
        self.do(writing.delete(self.owners[who], place))

    @rule(who=people, place=numbers)
    def cancel(self, who: int, place: int) -> None:
        """An own run, after another has tried."""
        self.do(writing.cancel(self.owners[who], self.other(who, place), place))

    # --- reading and meddling -----------------------------------------------------------------------------------------

    @rule(who=people, whose=people, route=st.sampled_from(_READS), place=numbers)
    def read(self, who: int, whose: int, route: Route, place: int) -> None:
        """Any GET, with anybody's id in it."""
        self.do(reading.use(self.owners[who], self.owners[whose], route, place))

    @rule(who=people, place=numbers, route=st.sampled_from([route for route in OWNED if route.verb == "GET"]))
    def pry(self, who: int, place: int, route: Route) -> None:
        """A GET with another's id."""
        self.do(reading.use(self.owners[who], self.other(who, place), route, place))

    @rule(who=people, place=numbers, route=st.sampled_from(_CHANGES))
    def meddle(self, who: int, place: int, route: Route) -> None:
        """Any other operation with another's id; that nothing is changed is seen at the end."""
        self.do(reading.use(self.owners[who], self.other(who, place), route, place))

    @rule(who=people, place=numbers, files=st.booleans())
    def send_to_another(self, who: int, place: int, files: bool) -> None:
        """A message to another's thread, or with another's file."""
        self.do(reading.send_to_another(self.owners[who], self.other(who, place), place, files=files))

    @rule(who=people, place=numbers, limit=st.integers(1, 3))
    def page(self, who: int, place: int, limit: int) -> None:
        """A listing in small pages."""
        self.do(reading.page(self.owners[who], place, limit))

    # --- following ----------------------------------------------------------------------------------------------------

    @rule(who=people, whose=people, place=numbers)
    def resume(self, who: int, whose: int, place: int) -> None:
        """A second socket, from any cursor ever issued to anyone."""
        self.do(following.resume(self.owners[who], self.owners[whose], place))

    @rule(who=people, whose=people, place=numbers, header=st.booleans())
    def stream(self, who: int, whose: int, place: int, header: bool) -> None:
        """A stream of server-sent events, from any cursor ever issued to anyone."""
        self.do(following.stream(self.owners[who], self.owners[whose], place, header=header))

    @rule(who=people, place=numbers)
    def come_back(self, who: int, place: int) -> None:
        """A socket and a stream, each from an own cursor."""
        self.do(following.resume(self.owners[who], self.owners[who], place))
        self.do(following.stream(self.owners[who], self.owners[who], place + 1, header=True))

    @rule(who=people, polite=st.booleans())
    def reconnect(self, who: int, polite: bool) -> None:
        """Another socket instead of the one in use."""
        self.do(following.reconnect(self.owners[who], polite=polite))

    # --- sessions -----------------------------------------------------------------------------------------------------

    @rule(who=people)
    def refresh(self, who: int) -> None:
        """New tokens."""
        self.do(signing.refresh(self.owners[who]))

    @rule(who=people, place=numbers)
    def renew_with_anothers_token(self, who: int, place: int) -> None:
        """Another's token on the own socket."""
        self.do(signing.renew_with_anothers_token(self.owners[who], self.other(who, place)))

    @rule(who=people, place=numbers, itself=st.booleans())
    def sign_out_and_in(self, who: int, place: int, itself: bool) -> None:
        """Another session instead of the one in use; the tokens of those before are tried."""
        if self.signed_out < SIGN_INS:
            self.signed_out += 1
            self.do(signing.sign_out_and_in(self.owners[who], itself=itself))
        self.do(signing.use_a_revoked(self.owners[who], place))

    # --- the end ------------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """What chance has left out is done; everybody has all of their own; then the users go."""
        try:
            if not self.failed and self.owners:
                one, two, three = self.owners
                for name, deed in rare(one, two, three).items():
                    if not self.counts[name]:
                        self.do(deed())
                for owner in self.owners:
                    self.do(whole(owner))
        finally:
            # What a fault has left on the sockets adds nothing to it.
            self.runner.run(self.world.__aexit__(AssertionError if self.failed else None, None, None))
            self.runner.close()


async def check_canaries(server: Server, *, examples: int, steps: int, start: int, strict: bool = True) -> str:
    """Run the machine in a thread, since its loop is driven by hand; returns what was done, for the figures.

    Raises:
        AssertionError: a leak, a loss, or a run in which something did not occur.
    """
    stage = Stage(server, strict=strict)
    try:
        return await asyncio.to_thread(_run, stage, examples, steps, start)
    finally:
        stage.over = True


def _run(stage: Stage, examples: int, steps: int, start: int) -> str:
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.generate],  # nothing is shrunk: at a real server it would take longer than the test may
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    machine: Any = seed(start)(partial(Canaries, stage))
    try:
        run_state_machine_as_test(machine, settings=how)
    except Exception as fault:
        # A fault that depends on the moment does not come again when the steps are repeated: the first one is what was seen.
        raise (stage.faults or [fault])[0] from fault
    stage.belongings.none_in(stage.server.log.read_bytes()[stage.since :])
    _proved(stage)
    told = ", ".join(f"{count} {name}" for name, count in sorted(stage.counts.items()) if "/" not in name)
    return f"{stage.examples} examples: {told}; {stage.belongings.count} ids"


def _proved(stage: Stage) -> None:
    nobody: Any = None
    missing = [name for name in rare(nobody, nobody, nobody) if not stage.counts[name]]
    assert not missing, f"never occurred, so the run has proved nothing of it: {missing}"
    blind = KINDS - stage.belongings.kinds
    assert not blind, f"no id of these kinds was recognised, so a leak of one would not be: {blind}"

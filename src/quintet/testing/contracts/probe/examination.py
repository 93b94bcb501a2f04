"""What is done to a backend to see whether it keeps the contract: little, bounded, and only what a user may do.

One message; two users at once, two messages each; a connection cut in the middle of a run and resumed; a wrong credential. What was
received is kept as stories; nothing is judged here.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from ..mapping import Mapping
from ..record import Record
from ..story import Story
from .line import Line, LineError, Who, request
from .plan import Call, Plan
from .stream import Stream
from .websocket import SocketIO, WebSocket

__all__ = ["Evidence", "Resumed", "examine"]

ROUNDS = 2  # messages of each user while the other's run too
CUT_AFTER = 3  # events that a reader has applied when its connection is cut
MIRROR_SECONDS = 3.0  # within which a second connection of a user shows that it hears the same
_LINES: dict[str, type[Line]] = {"websocket": WebSocket, "socketio": SocketIO, "sse": Stream}


@dataclass
class Resumed:
    """One cut and what came after it."""

    how: str
    before: Record
    after: Record
    uncut: Record | None


@dataclass
class Evidence:
    """What was seen. `trouble` tells, by the name of a step, why it could not be done."""

    mapping: Mapping
    plan: Plan
    stories: list[Story] = field(default_factory=list)  # of the two users
    canaries: list[str] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)  # messages, by story
    resumed: list[Resumed] = field(default_factory=list)
    stranger: Story | None = None
    turned_away: str = ""
    credentials: list[str] = field(default_factory=list, repr=False)  # never shown, whatever the backend sends back
    trouble: dict[str, str] = field(default_factory=dict)


class _Examination:
    """One backend, one pair of users."""

    def __init__(self, url: str, mapping: Mapping, plan: Plan, users: list[Who], text: str) -> None:
        self.url, self.mapping, self.plan, self.users, self.text = url, mapping, plan, users, text
        self.evidence = Evidence(mapping, plan)

    @contextlib.asynccontextmanager
    async def _line(self, who: Who, name: str) -> AsyncIterator[Line]:
        line = _LINES[self.plan.kind](self.url, self.plan, self.mapping, who, name)
        try:
            yield line
        finally:
            with contextlib.suppress(LineError):
                await line.close()

    async def two_users(self) -> None:
        """One message alone, then both users at once, then quiet."""
        one, other = self.users
        async with self._line(one, one.name) as first, self._line(other, other.name) as second:
            lines = (first, second)
            self.evidence.stories = [line.story for line in lines]
            self.evidence.canaries = [_canary() for _ in lines]
            self.evidence.sent = [0, 0]
            for line in lines:
                await line.open()
            await self._say(first, 0)
            await asyncio.gather(*(self._talk(line, place) for place, line in enumerate(lines)))
            await asyncio.gather(*(line.listen(self.plan.wait.quiet) for line in lines))

    async def _talk(self, line: Line, place: int) -> None:
        for _ in range(ROUNDS):
            if not await self._say(line, place):
                return  # who waits for one ending in vain need not wait for the next

    async def _say(self, line: Line, place: int) -> bool:
        """Send a message with the user's own word in it and wait for the ending of its run."""
        canary = self.evidence.canaries[place]
        line.who.values["canary"] = canary
        await line.send(self.text.replace("{canary}", canary))
        self.evidence.sent[place] += 1
        return await self._ended(line, self.evidence.sent[place])

    async def _ended(self, line: Line, count: int) -> bool:
        ends = self.mapping.offers("final") or self.mapping.words("agent_completed")
        seconds = self.plan.wait.run if ends else self.plan.wait.quiet
        return await line.until(lambda story: sum(seen.final for seen in story) >= count, seconds) or not ends

    async def cut(self) -> None:
        """Cut a connection in the middle of a run, resume at once, and again when all is over; a second connection is not cut."""
        who = self.users[0]
        who.values["canary"] = _canary()
        text = self.text.replace("{canary}", who.values["canary"])
        async with self._line(who, f"{who.name}, cut") as cut, self._line(who, f"{who.name}, not cut") as mirror:
            await mirror.open()
            await cut.open()
            await cut.send(text)
            await cut.until(lambda story: len(story.events) >= CUT_AFTER, self.plan.wait.run)
            await cut.cut()
            frames = [seen for seen in cut.story if seen.event][:CUT_AFTER]
            before = cut.story.of_frames(frames, cut.story.name)
            after = await self._resume(who, before, "at once")
            heard = await mirror.until(lambda story: bool(story.events), MIRROR_SECONDS)
            if heard:
                await self._ended(mirror, 1)
            uncut = mirror.story if heard else None
            later = await self._resume(who, before, "when the run was over")
            self.evidence.resumed = [
                Resumed("at once", before, after, uncut),
                Resumed("when the run was over", before, later, uncut),
            ]

    async def _resume(self, who: Who, before: Record, when: str) -> Story:
        cursor = next((seen.cursor for seen in reversed(before) if seen.cursor is not None), None)
        if cursor is None:
            raise LineError(f"{len(before)} events came before the cut, none of them with a cursor")
        async with self._line(who, f"{who.name}, resumed {when}") as line:
            await line.open(cursor)
            await self._ended(line, 1)
            await line.listen(min(0.3, self.plan.wait.quiet))
            return line.story

    async def stranger(self) -> None:
        """Somebody with a credential that was never given out."""
        who = Who("stranger", f"not-{secrets.token_hex(16)}", {"canary": _canary(), "session": secrets.token_hex(8)})
        async with self._line(who, "stranger") as line:
            self.evidence.stranger = line.story
            try:
                await line.open()
                await line.send(self.text.replace("{canary}", who.values["canary"]))
                await line.until(lambda story: bool(story.events), min(3.0, self.plan.wait.run))
            except LineError as refusal:
                self.evidence.turned_away = str(refusal)


def _canary() -> str:
    return f"canary{secrets.token_hex(8)}"


async def examine(
    url: str, mapping: Mapping, plan: Plan, credentials: list[str], text: str, extra: dict[str, str]
) -> Evidence:
    """Everything, one after the other. A step that cannot be done is kept as trouble; the others go on.

    Raises:
        LineError: no users could be made.
    """
    given = list(credentials)
    users = []
    for name in ("one", "other"):
        who = Who(name, given.pop(0) if given else "", {"session": f"s{secrets.token_hex(8)}", **extra})
        if not who.credential and plan.users is not None:
            who.credential = await _made(url, plan.users, who, plan.wait.open)
        if plan.prepare is not None:
            who.values["session"] = await _made(url, plan.prepare, who, plan.wait.open)
        users.append(who)
    examination = _Examination(url, mapping, plan, users, text)
    examination.evidence.credentials = [who.credential for who in users if who.credential]
    steps = [("two users", examination.two_users)]
    if plan.resume is not None:
        steps.append(("resume", examination.cut))
    if plan.authenticates:
        steps.append(("stranger", examination.stranger))
    for name, step in steps:
        try:
            await step()
        except LineError as fault:
            examination.evidence.trouble[name] = str(fault)
    return examination.evidence


async def _made(url: str, call: Call, who: Who, seconds: float) -> str:
    """What a request was made for: a new user's credential, the session that its messages go to."""
    answer = await request(url, call, who.all(), seconds)
    for key in call.value.split(".") if call.value else ():
        answer = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(answer, (str, int)):
        raise LineError(f"the answer of {call.path} has no {call.value or 'value'}")
    return str(answer)

"""The clerk: reads a question, looks it up, answers. Each step is stored before anybody hears of it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

from sqlalchemy import select

from desk.tables import Happening, Person, session

OPENING_HOURS = {"monday": "9 to 17", "sunday": "closed"}
_news: dict[str, asyncio.Condition] = defaultdict(asyncio.Condition)


async def tell(person: str, kind: str, **facts: object) -> None:
    """Store what happened under the person's next number, then wake who waits for it."""
    async with session.begin() as tx:
        row = await tx.get_one(Person, person, with_for_update=True)
        row.last += 1
        tx.add(
            Happening(person=person, number=row.last, told={"kind": kind, "number": row.last, "for": person, **facts})
        )
    async with _news[person]:
        _news[person].notify_all()


async def happenings(person: str, after: int) -> AsyncIterator[dict[str, object]]:
    """Everything after a number: what was stored, then what comes."""
    while True:
        async with session() as tx:
            query = select(Happening).where(Happening.person == person, Happening.number > after)
            rows = (await tx.scalars(query.order_by(Happening.number))).all()
        for row in rows:
            after = row.number
            yield row.told
        if not rows:
            with suppress(TimeoutError):
                async with _news[person], asyncio.timeout(0.2):
                    await _news[person].wait()


async def answer(person: str, question: str) -> None:
    """A question from its first step to its last."""
    run, call = uuid4().hex, uuid4().hex
    await tell(person, "run.begin", run=run, question=question)
    await tell(person, "thought", run=run, text="Which day is meant?")
    day = next((day for day in OPENING_HOURS if day in question.lower()), "monday")
    await tell(person, "lookup.begin", run=run, call=call, day=day)
    await tell(person, "lookup.end", run=run, call=call, hours=OPENING_HOURS[day])
    await tell(person, "run.end", run=run, text=f"On {day}: {OPENING_HOURS[day]}")

"""The desk, as its users meet it: a real server, a real PostgreSQL, real sockets."""

import pytest
from httpx import AsyncClient

pytestmark = pytest.mark.l3
STEPS = ("run.begin", "thought", "lookup.begin", "lookup.end", "run.end")


@pytest.fixture
def visit(services, connect):
    """Somebody comes in, and looks at what happened after a number."""

    async def visit(name, after=0):
        async with AsyncClient(base_url=services.desk.url) as http:
            token = (await http.post("/sign-in", json={"name": name})).json()["token"]
        return await connect(services.desk, f"/ws?after={after}&token={token}", name=name)

    return visit


async def test_a_question_is_answered_step_by_step(visit):
    """Each step once, in order, in time, and the lookup ends before the answer."""
    alice = await visit("alice")
    await alice.send({"text": "Are you open on Sunday?"})
    await alice.until("run.end")
    alice.story.sequence(*STEPS).no_gap().once().pairs().closed().within(2.0)


async def test_nobody_sees_anothers_answers(visit):
    """Two people ask at once; each screen shows its own person only."""
    bob, carol = await visit("bob"), await visit("carol")
    await bob.send({"text": "Monday?"})
    await carol.send({"text": "Sunday?"})
    await bob.until("run.end")
    await carol.until("run.end")
    bob.story.isolated(carol.story)


async def test_a_cut_line_loses_nothing(visit):
    """Cut in the middle, come back with the last number: what follows joins without hole or double."""
    dave = await visit("dave")
    await dave.send({"text": "Monday?"})
    await dave.until("thought")
    await dave.cut()
    again = await visit("dave", after=dave.story[-1].order)
    await again.send({"text": "And Sunday?"})
    await again.until("run.end", where=lambda seen: "sunday" in seen.text)
    dave.story.resumes_exactly(again.story)


async def test_a_forged_token_stays_outside(services, connect):
    """Whoever shows no token of ours hears nothing."""
    assert (await connect.refused(services.desk, "/ws?token=made.up.words")).status in (403, 1008)

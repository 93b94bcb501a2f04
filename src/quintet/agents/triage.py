"""The triage team: a supervisor and four specialists who explain a broken test run, without a model.

The plan is fixed and sequential: read, group, ask the four one after another (each gets what the others found), weigh, report.
What a specialist is told and answers is plain data; nothing is kept between runs.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from quintet.agents.casework import Casework, Inquiry, Recollection
from quintet.agents.reports import REPORT_TYPES, earlier_report, report_of
from quintet.engine import AgentError, AgentSpec, Turn, agent
from quintet.triage import Case, Findings
from quintet.triage.model import Challenge, Claim

__all__ = ["lead", "specialists", "triage"]

_SECONDS = 120
_RESULT_CAUSES = 12
_QUESTIONS = 10  # earlier ones, in which the cause that is meant may be named
_QUESTION_SHOWN = 300


async def _examine(turn: Turn, name: str, looks_for: str) -> dict[str, Any]:
    """A specialist's work: compare, look at the evidence, answer with claims."""
    case = msgspec.convert(turn.input["case"], Case)
    so_far = msgspec.convert(turn.input["findings"], Findings)
    inquiry = Inquiry(name, case, so_far)
    groups = [one.id for one in case.clusters]
    await turn.think(f"Looking through {_many(len(groups), 'group')} of failures for {looks_for}", 0.1)
    await turn.use(inquiry.look_up_rules, groups)
    found = inquiry.findings
    await turn.think(_claims_in_words(found.claims), 0.6)
    cited = [fact for claim in found.claims for fact in claim.facts[:2]][:8]
    if cited:
        evidence = await turn.use(inquiry.gather_facts, cited)
        await turn.think(f"The strongest line is {evidence[0]['line']}: {evidence[0]['excerpt'][:160]}", 0.8)
    for challenge in found.challenges[:3]:
        await turn.think(f"I doubt {challenge.claim}: {challenge.statement}", 0.9)
    return {"claims": msgspec.to_builtins(found.claims), "challenges": msgspec.to_builtins(found.challenges)}


def _claims_in_words(claims: tuple[Claim, ...]) -> str:
    known = [claim for claim in claims if not claim.plain]
    if not known:
        return "Nothing here is of my kind" if not claims else "No rule fits; these failures stand alone"
    return " ".join(f"{claim.statement} ({claim.certainty})" for claim in known[:4])


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@agent(
    name="environment-configuration",
    description="Packages, variables, services and databases of a test run",
    timeout=_SECONDS,
)
async def environment_configuration(turn: Turn) -> dict[str, Any]:
    """What the tests run in."""
    return await _examine(turn, "environment-configuration", "missing packages, variables, services and databases")


@agent(name="websocket-integration", description="Handshakes, closings and readers of WebSockets", timeout=_SECONDS)
async def websocket_integration(turn: Turn) -> dict[str, Any]:
    """What goes wrong on a socket."""
    return await _examine(turn, "websocket-integration", "refused handshakes, early closings and silent sockets")


@agent(name="auth-integration", description="Tokens, logins and what follows from them", timeout=_SECONDS)
async def auth_integration(turn: Turn) -> dict[str, Any]:
    """Who was refused, and why."""
    return await _examine(turn, "auth-integration", "refused tokens, failed logins and what follows from them")


@agent(
    name="test-architecture",
    description="pytest's configuration, fixtures, event loops, isolation and drift",
    timeout=_SECONDS,
)
async def test_architecture(turn: Turn) -> dict[str, Any]:
    """How the tests are built, and the last word on what is left."""
    return await _examine(
        turn, "test-architecture", "configuration, fixtures, event loops, leftovers and simulated errors"
    )


specialists: tuple[AgentSpec[dict[str, Any]], ...] = (
    environment_configuration,
    websocket_integration,
    auth_integration,
    test_architecture,
)


@agent(
    description="Explains a broken pytest run: paste its output, or attach it or a JUnit file",
    timeout=300,
    attachments=REPORT_TYPES,
)
async def triage(turn: Turn) -> Any:
    """Lead the team and say the report, or answer a question about the report before.

    Asked by another agent with `{"report": text}`, and with `"question"` for a question about it, return the words instead of saying them.
    """
    return await lead(turn)


async def lead(turn: Turn, add: Callable[[Turn, Casework], Awaitable[None]] | None = None) -> Any:
    """The supervisor's work. `add` may say something after a report that is said; it changes nothing of it."""
    asked = turn.input
    if isinstance(asked, dict) and "question" in asked:
        return await _answer(turn, str(asked.get("report", "")), str(asked["question"]))
    text = asked.get("report", "") if isinstance(asked, dict) else await report_of(turn)
    work = Casework(str(text))
    await _investigate(turn, work)
    if work.run.kind == "nothing" and (before := await earlier_report(turn)):
        await turn.say(await _answer(turn, before, turn.text))
        return None
    if isinstance(asked, dict):
        return "".join(work.report)
    for piece in work.report:
        await turn.say(piece)
    if add is not None and work.analysis.causes:
        await add(turn, work)
    return _result(work)


async def _answer(turn: Turn, report: str, question: str) -> str:
    """From the facts of a report of before. Nothing is asked of anybody: what the team found is what it would find again."""
    asked = [message.text for message in turn.history if message.role == "user"]
    memory = Recollection(report, question, asked[-_QUESTIONS:])
    await turn.think("A question about the report before; I look it up in its facts", 0.2)
    await turn.use(memory.recall_report)
    found = await turn.use(memory.look_up_facts, question[:_QUESTION_SHOWN])
    about = f"{found['about']}, {found['cause']}" if found["cause"] else found["about"]
    await turn.think(f"Asked for: {about}", 0.9)
    return memory.answer.text


async def _investigate(turn: Turn, work: Casework) -> None:
    await turn.think("Reading the text as a test report", 0.05)
    seen = await turn.use(work.parse_report, "message")
    if not seen["entries"]:
        await turn.think(
            "There is no failure in it to explain" if seen["kind"] != "nothing" else "It is no test report", 1.0
        )
        return
    await turn.think(
        f"{_many(seen['tests'], 'test')}, {seen['failed']} failed, {seen['errors']} errors: which of them failed alike?",
        0.1,
    )
    groups = await turn.use(work.cluster_failures)
    await turn.think(
        f"The biggest group: {groups[0]['entries']} with {groups[0]['error']}. Asking the specialists, one after another",
        0.2,
    )
    await _ask_all(turn, work)
    claims, challenges = work.findings.claims, work.findings.challenges
    await turn.use(work.weigh_claims, [claim.id for claim in claims])
    weighed = f"{_many(len(claims), 'claim')} and {_many(len(challenges), 'challenge')}"
    await turn.think(f"{_many(len(work.analysis.causes), 'cause')} left after weighing {weighed}", 0.95)


async def _ask_all(turn: Turn, work: Casework) -> None:
    """One after another; each is handed what the others found. A specialist that fails costs its claims, not the report."""
    case = msgspec.to_builtins(work.case)
    for number, specialist in enumerate(specialists, 1):
        progress = round(0.2 + 0.17 * number, 2)
        try:
            answer = await turn.ask(specialist, {"case": case, "findings": msgspec.to_builtins(work.findings)})
        except AgentError as fault:
            await turn.think(f"{specialist.name} could not answer ({fault.code}); going on without it", progress)
            continue
        heard = Findings(
            msgspec.convert(answer["claims"], tuple[Claim, ...]),
            msgspec.convert(answer["challenges"], tuple[Challenge, ...]),
        )
        work.findings += heard
        await turn.think(
            f"{specialist.name}: {_many(len(heard.claims), 'claim')}, {_many(len(heard.challenges), 'challenge')}",
            progress,
        )


def _result(work: Casework) -> dict[str, Any]:
    """The causes in short, for programs; the words are the answer."""
    totals, causes = work.run.totals, work.analysis.causes
    return {
        "totals": msgspec.to_builtins(totals),
        "causes": [
            {
                "id": cause.id,
                "category": cause.category,
                "certainty": cause.certainty,
                "blocks": cause.blocks,
                "statement": cause.statement,
            }
            for cause in causes[:_RESULT_CAUSES]
        ],
    }

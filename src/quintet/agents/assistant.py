"""The assistant: says what this server can do, and hands a broken test run to those who can explain it."""

from typing import Any

from quintet.agents.reports import REPORT_TYPES, earlier_report, report_of
from quintet.agents.triage import triage
from quintet.engine import AgentError, Turn, agent, tool
from quintet.triage import read
from quintet.triage.followup import is_question

__all__ = ["assistant", "list_agents"]

_DESCRIPTION = "Says what this server can do; give it the output of a broken pytest run and it has it explained"


@tool(timeout=10)
def list_agents() -> list[dict[str, str]]:
    """The agents that come with this server."""
    return [
        {"name": "assistant", "description": _DESCRIPTION},
        {"name": triage.name, "description": triage.description},
    ]


@agent(description=_DESCRIPTION, attachments=REPORT_TYPES)
async def assistant(turn: Turn) -> None:
    """Answer with what can be done here, or hand on."""
    text = await report_of(turn)

    @tool(timeout=60)
    def look_at_message() -> dict[str, Any]:
        """Whether the message, or a file that came with it, is a test report."""
        run = read(text, "message")
        return {"kind": run.kind, "failing_entries": len(run.entries)}

    await turn.think("Is this the output of a test run?", 0.1)
    seen = await turn.use(look_at_message)
    if seen["kind"] != "nothing":
        await turn.think(f"It is ({seen['failing_entries']} failing entries): the triage team can explain it", 0.2)
        await _hand_on(turn, text)
        return
    if is_question(turn.text) and (before := await earlier_report(turn)):
        await turn.think("It is not, but it asks about the report before: the triage team can look that up", 0.2)
        await turn.say(await turn.ask(triage, {"report": before, "question": turn.text}))
        return
    await turn.think("It is not; looking up who is here", 0.4)
    agents = await turn.use(list_agents)
    await turn.say(_answer(agents))


async def _hand_on(turn: Turn, text: str) -> None:
    try:
        report = str(await turn.ask(triage, {"report": text}))
    except AgentError:
        await turn.say("The triage team could not finish. Please send the same text to the agent `triage` once more.")
        return
    for number, piece in enumerate(report.split("\n## ")):
        await turn.say(f"\n## {piece}" if number else piece)


def _answer(agents: list[dict[str, str]]) -> str:
    named = "\n".join(f"- **{one['name']}**: {one['description']}." for one in agents)
    return f"""I have no language model behind me, so I cannot chat about everything, but this works right now:

**Explain a broken test run.** Paste the output of `pytest -ra --tb=short` (or a JUnit XML file) into this conversation.
A team of five agents reads it, groups the failures, looks for what they have in common, and answers with causes,
the lines that show them, a fix for each and a plan. Nothing you paste is executed, and secrets in it are masked.

**Watch it happen.** Every step is an event you see live: who started, what they think, which tool runs, what it gave.
Reload the page or open a second window: you get the same story, nothing lost, nothing twice. Stop ends a run at once.

The agents that come with this server:

{named}

Others that this server offers stand in the list of agents.
"""

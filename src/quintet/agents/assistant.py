"""The assistant: says what this server can do."""

from quintet.engine import Turn, agent

__all__ = ["assistant"]


@agent(description="Says what this server can do")
async def assistant(turn: Turn) -> None:
    """Answer with what can be done here."""
    await turn.think("Looking at what can be done here")
    await turn.say("Paste the output of a broken pytest run and choose the agent `triage`.")

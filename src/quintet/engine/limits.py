"""Every bound of the engine. Seconds, bytes or counts; tests shrink them, nobody goes without them."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one worker and of each run in it."""

    # of a worker
    runs: int = 64  # at once
    poll: float = 1.0  # a wake-up may be lost
    drain: float = 60.0  # how long a stopping worker waits for running runs
    threads: int = 256  # of plain functions, those that were abandoned and still run included
    life: float = (
        12.0  # without a beat it is dead, where several processes share a database: a run then ends within 20 s
    )
    late_ending: float = 60.0  # an ending refused for so long is counted; a draining worker waits no longer for it

    # of the agents' loops
    loops: int = 8  # made while all are responsive
    loops_cap: int = 32  # the abandoned ones that still run included
    ping: float = 0.05  # how often a loop with runs is asked for a sign of life
    lag: float = 0.1  # a loop this late gets no new run
    held: float = 5.0  # a loop this late is interrupted
    rescue: float = 0.5  # and given this long to turn again

    # of a run
    run: float = 600.0
    tool: float = 120.0  # a call of a tool that says nothing itself
    per_user: int = 5  # runs of one user at the same time; an ending makes the next one ready
    grace: float = 5.0  # between a cancel and being abandoned
    events: int = 10_000
    said: int = 1024 * 1024  # UTF-8 bytes of all texts
    piece: int = 8_000  # code points of one text_delta, of one agent_thinking
    input: int = 500  # characters of agent_started's input
    depth: int = 32  # of agents asking agents
    calls: int = 256  # open tool calls at once
    outbox: int = 256  # events waiting to be stored
    outbox_bytes: int = 512 * 1024
    batch: int = 128  # events of one append

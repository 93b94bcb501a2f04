"""Agents that do what the message says: for the tests of a real server, written on the public interface alone.

A message that is a JSON object gives orders (`{"steps": 5, "pause": 0.02}`); any other text is only text. A tool with an effect
leaves a line in the file that `SCRIPTED_EFFECTS` names, so that a test can prove how often it really ran.
Each confidential value is made from `SCRIPTED_SECRET`, which is only in the server's environment and in the test.
"""

from support.scripted.failing import (
    after_end,
    bad_args,
    blocker,
    flooder,
    lone_surrogate,
    looper,
    raiser,
    returns_unencodable,
    silent,
    sleeper,
    ten_megabytes,
)
from support.scripted.guarding import catcher, confidant, secretive
from support.scripted.waiting import slow_child, slow_parent, slow_tool
from support.scripted.working import (
    analyst,
    coordinator,
    echo,
    rememberer,
    researcher,
    returner,
    scout,
    scribe,
    stepper,
    streamer,
    sync_agent,
)

__all__ = [
    "after_end",
    "analyst",
    "bad_args",
    "blocker",
    "catcher",
    "confidant",
    "coordinator",
    "echo",
    "flooder",
    "lone_surrogate",
    "looper",
    "raiser",
    "rememberer",
    "researcher",
    "returner",
    "returns_unencodable",
    "scout",
    "scribe",
    "secretive",
    "silent",
    "sleeper",
    "slow_child",
    "slow_parent",
    "slow_tool",
    "stepper",
    "streamer",
    "sync_agent",
    "ten_megabytes",
]

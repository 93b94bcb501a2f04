"""How a run ended, told by whoever ran it: what pytest could not write any more. Pure.

Rules: an exit code alone proves that the run ended, never why; the test that was running is named as such, not as guilty; where pytest
itself has told of the ending, its words stay and only the test's name is added.
"""

from dataclasses import dataclass, replace

from quintet.triage.masking import mask
from quintet.triage.model import Entry, Kind, Raised, Run
from quintet.triage.normalise import normalise, shorten

EARLY, STOPPED = "RunEndedEarly", "RunStopped"
_DIED = frozenset({"CrashError", "KeyboardInterrupt"})


@dataclass(frozen=True, slots=True)
class Ending:
    """`code` as the system gives it (negative: a signal), `stopped` the seconds after which the run was stopped, `running` the test
    that had begun and not finished."""

    code: int
    stopped: float | None = None
    running: str = ""
    source: str = "the run"


def with_ending(run: Run, ending: Ending) -> Run:
    """The run with an entry about its ending, where pytest has written no last line, or was stopped."""
    died = [entry for entry in run.entries if entry.phase == "session" and entry.last.name in _DIED]
    name = shorten(mask(normalise(ending.running)), 300)
    told = bool(died) or any(entry.phase == "session" for entry in run.entries)
    if ending.stopped is not None:
        others = tuple(entry for entry in run.entries if entry not in died)
        entry = _entry(STOPPED, _stopped(ending, name), name, ending, died[0].chain if died else ())
        return replace(run, kind=_kind(run), entries=(entry, *others))
    if died and name:
        return replace(run, entries=tuple(replace(one, name=name) if one in died else one for one in run.entries))
    if told or ending.code == 0 or _ended_itself(run):
        return run
    return replace(run, kind=_kind(run), entries=(_entry(EARLY, _early(run, ending, name), name, ending), *run.entries))


def _ended_itself(run: Run) -> bool:
    """A session that wrote its last line, or failures that explain the exit code."""
    return any(line.kind == "end" for line in run.header) or (run.kind == "junit" and bool(run.entries))


def _kind(run: Run) -> Kind:
    return "console" if run.kind == "nothing" else run.kind


def _entry(exception: str, message: str, name: str, ending: Ending, before: tuple[Raised, ...] = ()) -> Entry:
    chain = (*before, Raised(exception, message, 0))
    return Entry(name or "(session)", "error", "session", chain, 0, ending.source)


def _stopped(ending: Ending, name: str) -> str:
    while_running = f" while {name} was running" if name else ""
    return f"the run was stopped after {ending.stopped:g} s{while_running}"


def _early(run: Run, ending: Ending, name: str) -> str:
    how = f"was ended by signal {-ending.code}" if ending.code < 0 else f"ended with exit code {ending.code}"
    if name:
        return f"the run {how} while {name} was running"
    return f"the run {how} before pytest's last line" if run.header else f"the run {how} before pytest began"

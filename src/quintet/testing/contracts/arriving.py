"""When events come: `within` and `silence`.

1. Times are of the reader's monotonic clock; a stamp of the backend is compared only where that is asked for, and then with the wall clock.
2. Silence is a fact only as long as somebody listened: a story that was not listened to for so long proves nothing, and says so.
"""

from datetime import datetime

from .offered import NotOfferedError, something
from .record import Record
from .seen import Seen
from .violation import violated

__all__ = ["silence", "within"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours

_TICK = 1e-6  # seconds: sums of clock readings are not exact


def within(
    record: Record,
    seconds: float,
    first: str = "",
    then: str = "",
    *,
    since: Seen | float | None = None,
    stamped: bool = False,
) -> None:
    """Events come in time.

    - `within(s, 2.0, "agent_completed")`: one comes at most 2 s after the story began, or after `since` (a frame, a monotonic time).
    - `within(s, 0.5, "tool_executing", "tool_completed")`: after every first one its own second one (same call, else same agent, else
      same run) comes in time.
    - `within(s, 1.0)`: no event of a run comes later than this after the one before it.
    - `within(s, 1.0, stamped=True)`: no event comes later than this after its own stamp; reader and server share a clock.

    Raises:
        NotOfferedError: `stamped`, and the mapping tells no `time`.
        ContractViolation: at the event that is late, or after which none came.
    """
    something("within", record)
    if stamped:
        _after_stamp(record, seconds)
    elif then:
        _pairwise(record, seconds, first, then)
    elif first:
        _one(record, seconds, first, since)
    else:
        _steadily(record, seconds)


def _one(record: Record, seconds: float, kind: str, since: Seen | float | None) -> None:
    start = record.begun if since is None else since.at if isinstance(since, Seen) else since
    seen = next((seen for seen in record if seen.named(kind) and seen.at >= start and seen is not since), None)
    if seen is None:
        violated("within", f"{kind} did not come; it was due within {seconds} s", record, due=f"{kind} was due")
    if seen.at - start > seconds:
        violated("within", f"{seen} came after {seen.at - start:.3f} s; it was due within {seconds} s", record, seen)


def _pairwise(record: Record, seconds: float, first: str, then: str) -> None:
    frames = [seen for seen in record if seen.event]
    for place, beginning in enumerate(frames):
        if not beginning.named(first):
            continue
        later = (seen for seen in frames[place + 1 :] if seen.named(then) and _belongs(beginning, seen))
        end = next(later, None)
        if end is None:
            if record.heard - beginning.at > seconds:
                violated("within", f"no {then} followed {beginning}; it was due within {seconds} s", record, beginning)
        elif end.at - beginning.at > seconds:
            took = f"{end.at - beginning.at:.3f} s"
            violated(
                "within", f"{end} came {took} after its {first}, due within {seconds} s", record, end, also=[beginning]
            )


def _belongs(one: Seen, other: Seen) -> bool:
    if one.call is not None and other.call is not None:
        return (one.run, one.call) == (other.run, other.call)
    return one.run == other.run and (one.agent is None or other.agent is None or one.agent == other.agent)


def _steadily(record: Record, seconds: float) -> None:
    last: dict[str | None, Seen] = {}
    for seen in record:
        if not seen.event:
            continue
        before = last.get(seen.run)
        if before is not None and not before.final and seen.at - before.at > seconds:
            took = f"{seen.at - before.at:.3f} s"
            violated(
                "within",
                f"{seen} came {took} after the event before it, due within {seconds} s",
                record,
                seen,
                also=[before],
            )
        last[seen.run] = seen
    for before in last.values():
        if before.run is not None and not before.final and record.heard - before.at > seconds:
            took = f"{record.heard - before.at:.3f} s"
            violated("within", f"nothing followed {before} in {took}, due within {seconds} s", record, before)


def _after_stamp(record: Record, seconds: float) -> None:
    if not record.mapping.offers("time"):
        raise NotOfferedError("within", record, "time")
    for seen in record:
        stamp = _instant(seen.time) if seen.event else None
        if stamp is not None and seen.wall - stamp > seconds:
            took = f"{seen.wall - stamp:.3f} s"
            violated("within", f"{seen} came {took} after its own stamp, due within {seconds} s", record, seen)


def _instant(stamp: str | None) -> float | None:
    """Unix seconds of a stamp: RFC 3339, or a number of seconds or milliseconds."""
    if stamp is None:
        return None
    try:
        number = float(stamp)
    except ValueError:
        try:
            return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
        except ValueError:
            return None
    return number / 1000 if number > 1e11 else number


def silence(record: Record, seconds: float, *types: str, after: Seen | float | None = None) -> None:
    """Nothing came for so long: no event, or none of `types`, from `after` (a frame, a monotonic time) on.

    Without `after`, from the last ending on, or from the beginning of a story without one.

    Raises:
        ContractViolation: at the event that came; or the story was not listened to for so long, and so proves nothing.
    """
    start_at, start = _start(record, after)
    for seen in record:
        counts = seen.named(*types) if types else seen.event
        if counts and seen is not start_at and seen.at >= start and seen.at - start < seconds - _TICK:
            later = f"{seen.at - start:.3f} s into {seconds} s of silence"
            violated("silence", f"{seen} came {later}", record, seen, also=[start_at] if start_at else [])
    if record.heard - start < seconds - _TICK:
        heard = max(0.0, record.heard - start)
        violated(
            "silence",
            f"the story was listened to for {heard:.3f} s only: {seconds} s of silence are not proven",
            record,
        )


def _start(record: Record, after: Seen | float | None) -> tuple[Seen | None, float]:
    if isinstance(after, Seen):
        return after, after.at
    if after is not None:
        return None, after
    endings = [seen for seen in record if seen.final]
    return (endings[-1], endings[-1].at) if endings else (None, record.begun)

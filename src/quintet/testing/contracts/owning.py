"""Whose events they are: `only_user` and `isolated`.

1. What a frame says of its user counts where the mapping tells it; otherwise who received it does, by marks that belong to one user.
2. Every byte counts, also of frames about the connection.
3. An identifier shorter than 8 characters says nothing: counters of two users may be equal.
"""

import re
from collections.abc import Iterable

from .offered import NotOfferedError, something
from .record import Record
from .seen import Seen
from .violation import violated

__all__ = ["isolated", "only_user"]

__tracebackhide__ = True  # pytest shows the line of the test, not ours

DISTINCT = 8
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{8,}")
Mark = str | bytes


def only_user(record: Record, user: str | None = None, *, foreign: Iterable[Mark] = ()) -> None:
    """Every frame is of one user: `user`, else the story's owner, else the user of its first frame; and no `foreign` mark (a word, an
    id of somebody else) is in any byte.

    Raises:
        NotOfferedError: the mapping tells no `user`, and no mark was given.
        ContractViolation: at the first frame that is somebody else's.
    """
    marks = [_bytes(mark) for mark in foreign]
    if not record.mapping.offers("user") and not marks:
        raise NotOfferedError("only_user", record, "user")
    something("only_user", record)
    mine = user or record.owner or next((seen.user for seen in record.origin if seen.user is not None), None)
    given = user or record.owner
    for seen in record:
        if seen.kind == "resync" and given is None:
            mine = None  # it may be another log from here on, as after a copy was restored
        mine = mine or seen.user
        if seen.user is not None and seen.user != mine:
            violated("only_user", f"{seen} is of user {seen.user}, the reader is {mine}", record, seen)
        for mark in marks:
            if mark in seen.raw:
                violated(
                    "only_user",
                    f"{seen} holds {mark.decode(errors='replace')!r}, which is somebody else's",
                    record,
                    seen,
                )


def isolated(one: Record, other: Record, *, marks: tuple[Iterable[Mark], Iterable[Mark]] = ((), ())) -> None:
    """Nothing of one user is in what the other received, either way: no user, thread, run, call, id or cursor of an event of one is
    in an event of the other, no user, thread or run in any byte, and none of the `marks` (those of `one`, those of `other`).

    Raises:
        ContractViolation: at the first frame that should not be where it is.
    """
    something("isolated", one)
    something("isolated", other)
    theirs = _users(one) & _users(other)
    if theirs and one.owner is None and other.owner is None:
        _intruder(one, other, theirs)
    ours = [{_bytes(mark) for mark in given} for given in marks]
    _nothing_of(one, other, ours[0])
    _nothing_of(other, one, ours[1])


def _users(record: Record) -> set[str]:
    return {seen.user for seen in record if seen.user is not None}


def _intruder(one: Record, other: Record, shared: set[str]) -> None:
    """The frames of a user whom both received: those of the reader who began with somebody else are the intruders."""
    for record in (other, one):
        first = next((seen.user for seen in record if seen.user is not None), None)
        for seen in record:
            if seen.user in shared and seen.user != first:
                _refuse(record, seen, "user", str(seen.user), one if record is other else other)
    seen = next(seen for seen in other if seen.user in shared)
    _refuse(other, seen, "user", str(seen.user), one)


def _nothing_of(owner: Record, reader: Record, marks: set[bytes]) -> None:
    identifiers = _identifiers(owner)
    words = {value.encode() for name, value in identifiers if name in {"user", "thread", "run"}}
    plain = {word for word in words if _TOKEN.fullmatch(word)}  # thousands of them are looked up, not searched for
    searched = marks | (words - plain)
    for seen in reader:
        for name, value in _of(seen):
            if (name, value) in identifiers:
                _refuse(reader, seen, name, value, owner)
        found = next((word for word in searched if word in seen.raw), None) or next(
            (token for token in _TOKEN.findall(seen.raw) if token in plain), None
        )
        if found is not None:
            _refuse(reader, seen, "mark", found.decode(errors="replace"), owner)


def _identifiers(record: Record) -> set[tuple[str, str]]:
    own = record.owner or next((seen.user for seen in record if seen.user is not None), None)
    return {pair for seen in record if seen.event and seen.user in {None, own} for pair in _of(seen)}


def _of(seen: Seen) -> Iterable[tuple[str, str]]:
    for name in ("user", "thread", "run", "call", "id", "cursor", "message"):  # an agent may be named alike
        value = getattr(seen, name)
        if isinstance(value, str) and len(value) >= DISTINCT:
            yield name, value


def _refuse(reader: Record, seen: Seen, name: str, value: str, owner: Record) -> None:
    whose = f"of {owner.name}" if owner.name else "of the other user"
    who = f"{reader.name} received" if reader.name else "the reader received"
    violated("isolated", f"{who} {seen} with {name} {value!r} {whose}", reader, seen)


def _bytes(mark: Mark) -> bytes:
    data = mark.encode() if isinstance(mark, str) else mark
    if not data:
        raise ValueError("an empty mark is in every frame")
    return data

"""What one reader received, in order, as it arrived: the ground on which every check stands.

1. Frames are kept byte for byte; nothing is sorted, repaired or left out, also what the mapping cannot read.
2. A part of a record (a run, a user, a type) is a record with the same mapping and the same server's log.
3. A record is bounded: a reader that receives more than it can keep fails, it does not forget.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Keyed
from dataclasses import dataclass
from typing import Any, Protocol, Self, overload

import msgspec

from .mapping import Mapping
from .seen import Seen

__all__ = ["FullError", "Log", "Record"]

LIMIT = 200_000  # frames: some 200 MB of a busy backend


class Log(Protocol):
    """The log of the server that was spoken to; a handle of the kit's services is one."""

    name: str

    def log_size(self) -> int:
        """Its size in bytes."""

    def logged(self, since: int = 0) -> str:
        """Its text from a byte position."""


class FullError(RuntimeError):
    """More frames than a record keeps."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How the connection ended: `code` is a socket's close code; None where it just ended."""

    at: float
    code: int | None = None
    reason: str = ""


class Record(Sequence[Seen]):
    """The frames of one reader.

    `owner` is the user it read as, in the words of the mapping's `user`; `begun` when it began to listen (monotonic seconds);
    `partial` says that it began in the middle of runs, where the backend's frames have no order that shows it.
    """

    def __init__(
        self,
        name: str = "",
        mapping: Mapping | None = None,
        log: Log | None = None,
        *,
        owner: str | None = None,
        begun: float | None = None,
        partial: bool = False,
        limit: int = LIMIT,
    ) -> None:
        self.name = name
        self.mapping = mapping or Mapping.quintet()
        self.log = log
        self.owner = owner
        self.begun = time.monotonic() if begun is None else begun
        self.heard = self.begun  # until when somebody listened
        self.closing: Closing | None = None
        self.origin: Record = self  # of a part: the record that it is of
        self.partial = partial
        self.logged = _size(log)  # bytes of the server's log when the record began
        self._limit = limit
        self._seen: list[Seen] = []
        self._carried: dict[str, Any] = {}
        self._children: set[str] = set()

    @classmethod
    def of(cls, frames: Iterable[Seen], name: str = "", mapping: Mapping | None = None, log: Log | None = None) -> Self:
        """A record of frames that were received already, in this order: several readings, held against the contracts as one."""
        kept = list(frames)
        made = cls(name, mapping, log, begun=kept[0].at if kept else None)
        made._seen = kept
        made.heard = max((seen.at for seen in kept), default=made.heard)
        return made

    # --- recording ----------------------------------------------------------------------------------------------------

    def add(
        self,
        raw: bytes | str,
        at: float | None = None,
        wall: float | None = None,
        *,
        body: Any = None,
        envelope: Keyed[str, Any] | None = None,
    ) -> Seen:
        """Keep a frame. `at` and `wall` are now where not given.

        `body` is the JSON of `raw` where not given; `envelope` what the transport says beside it (`event` and `id` of a block of
        server-sent events, `event` of a Socket.IO packet), found by `@event` and so on in the mapping.

        Raises:
            FullError: the record is full.
        """
        if len(self._seen) >= self._limit:
            raise FullError(f"story {self.name!r} holds {self._limit} frames already")
        data = raw.encode() if isinstance(raw, str) else bytes(raw)
        told = _json(data) if body is None else body
        fields = self.mapping.read(told, envelope or {}, self._carried)
        for name in self.mapping.carried:
            self._carried[name] = fields.get(name)
        self._nest(fields)
        moment = time.monotonic() if at is None else at
        seen = Seen(
            at=moment,
            wall=time.time() if wall is None else wall,
            raw=data,
            body=told if isinstance(told, dict) else {},
            logged=_size(self.log),
            **fields,
        )
        self._seen.append(seen)
        self.heard = max(self.heard, moment)
        return seen

    def _nest(self, fields: dict[str, Any]) -> None:
        """Where a child names its parent at its start alone, its ending must not be taken for that of the run."""
        if fields["agent"] is None:
            return
        if fields["parent"] is not None:
            self._children.add(fields["agent"])
        elif fields["final"] and not self.mapping.offers("final"):
            fields["final"] = fields["agent"] not in self._children

    def listened(self, at: float | None = None) -> None:
        """Somebody was listening until `at` (now): only this makes silence a fact."""
        self.heard = max(self.heard, time.monotonic() if at is None else at)

    def ended(self, code: int | None = None, reason: str = "", at: float | None = None) -> None:
        """The connection ended."""
        moment = time.monotonic() if at is None else at
        self.closing = Closing(moment, code, reason)
        self.listened(moment)

    def reconnected(self) -> None:
        """Another connection goes on in this record: carried fields begin anew."""
        self._carried.clear()
        self.closing = None

    # --- parts --------------------------------------------------------------------------------------------------------

    def part(self, which: Callable[[Seen], bool], name: str = "") -> Self:
        """The frames for which `which` holds."""
        return self.of_frames([seen for seen in self._seen if which(seen)], name)

    def of_frames(self, frames: Iterable[Seen], name: str = "") -> Self:
        """A part of this record made of these frames."""
        part = type(self)(
            name or self.name, self.mapping, self.log, owner=self.owner, begun=self.begun, partial=self.partial
        )
        part._seen = list(frames)
        part.heard, part.closing, part.origin = self.heard, self.closing, self.origin
        return part

    def run(self, run: str) -> Self:
        """The events of one run."""
        return self.part(lambda seen: seen.event and seen.run == run, f"{self.name} run {run}".strip())

    def of_user(self, user: str) -> Self:
        """The events of one user, where the frames tell."""
        return self.part(lambda seen: seen.event and seen.user == user, f"{self.name} user {user}".strip())

    def of_type(self, *types: str) -> Self:
        """The frames of these types, in the backend's words or the contract's."""
        return self.part(lambda seen: seen.named(*types))

    def of_call(self, call: str) -> Self:
        """The events of one tool call."""
        return self.part(lambda seen: seen.event and seen.call == call, f"{self.name} call {call}".strip())

    @property
    def events(self) -> Self:
        """Without the frames about the connection."""
        return self.part(lambda seen: seen.event)

    @property
    def ending(self) -> Seen:
        """What ended the run, of a story that is of one. Raises `LookupError`: nothing did."""
        found = next((seen for seen in self._seen if seen.final), None)
        if found is None:
            raise LookupError(f"nothing in {self!r} ends a run")
        return found

    @property
    def calls(self) -> list[tuple[Seen, Seen]]:
        """Each tool call: its beginning and its end, in the order in which they began. Raises `LookupError`: one has no end."""
        done = {(seen.run, seen.call): seen for seen in self._seen if seen.kind == "tool_completed"}
        begun = [seen for seen in self._seen if seen.kind == "tool_executing"]
        lost = next((seen for seen in begun if (seen.run, seen.call) not in done), None)
        if lost is not None:
            raise LookupError(f"{lost} has no end in {self!r}")
        return [(seen, done[seen.run, seen.call]) for seen in begun]

    @property
    def runs(self) -> list[str]:
        """The runs that occur, in the order of their first event."""
        return list(dict.fromkeys(seen.run for seen in self._seen if seen.event and seen.run is not None))

    @property
    def users(self) -> list[str]:
        """The users that occur."""
        return list(dict.fromkeys(seen.user for seen in self._seen if seen.event and seen.user is not None))

    # --- as a sequence ------------------------------------------------------------------------------------------------

    @overload
    def __getitem__(self, place: int) -> Seen: ...
    @overload
    def __getitem__(self, place: slice) -> list[Seen]: ...
    def __getitem__(self, place: int | slice) -> Seen | list[Seen]:
        return self._seen[place]

    def __len__(self) -> int:
        return len(self._seen)

    def __iter__(self) -> Iterator[Seen]:
        return iter(self._seen)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {len(self)} frames>"


def _json(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _size(log: Log | None) -> int:
    return 0 if log is None else log.log_size()

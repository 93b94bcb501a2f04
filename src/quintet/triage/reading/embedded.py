"""A failure's text inside of another format (an XML element, a JSON string) to the chain of its exceptions.

Rules: what is embedded is masked and cleaned like any other text; where the format keeps a whole traceback on one line of the report, every
fact cites that line.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from quintet.triage.masking import mask
from quintet.triage.model import Entry, Outcome, Phase, Raised
from quintet.triage.normalise import normalise
from quintet.triage.reading.logs import logged_in
from quintet.triage.reading.tracebacks import chain_of, split_head

TEXT_LIMIT = 400_000


def entry_in(
    name: str, outcome: Outcome, phase: Phase, text: str, message: str, at: int, captured: Sequence[str] = ()
) -> Entry:
    """An entry whose failure stands in `text`, or only in `message`, both on line `at` of the report; `captured` was printed meanwhile."""
    lines = mask(normalise(text[:TEXT_LIMIT])).split("\n")
    chain = chain_of(lines, 1) if text.strip() else (Raised("", "", at),)
    printed = mask(normalise("\n".join(captured)[-TEXT_LIMIT:])).split("\n") if captured else []
    logged = _on_line(logged_in(printed, 1), at)
    return Entry(mask(normalise(name[:3_000])), outcome, phase, _on_line(_best(chain, message), at), at, logged=logged)


def _best(chain: tuple[Raised, ...], message: str) -> tuple[Raised, ...]:
    """The traceback's own words, or the message where it names nothing."""
    last = named(chain[-1])
    if last.exception or not message.strip():
        return (*chain[:-1], last)
    said = mask(normalise(message[:4_000]))
    exception, words = split_head(said.split("\n", 1)[0].strip())
    return (*chain[:-1], named(Raised(exception, words if exception else said[:1_600], last.at, last.frames)))


def named(raised: Raised) -> Raised:
    """Pytest's report leaves out the class of its own complaint about fixtures; the message tells it."""
    if raised.exception:
        return raised
    if raised.message.startswith("fixture '") or "\nfixture '" in raised.message:
        return replace(
            raised, exception="FixtureLookupError", message=raised.message[raised.message.index("fixture '") :]
        )
    return replace(raised, exception="ScopeMismatch") if raised.message.startswith("ScopeMismatch") else raised


def _on_line(chain: Sequence[Raised], at: int) -> tuple[Raised, ...]:
    return tuple(replace(one, at=at, frames=tuple(replace(frame, at=at) for frame in one.frames)) for one in chain)


def as_dict(value: Any) -> dict[str, Any]:
    """An object of the report, or an empty one where it is something else: a report is data, and may be any."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """A list of the report, or an empty one."""
    return value if isinstance(value, list) else []
